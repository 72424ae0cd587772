import { createReadStream, createWriteStream } from 'node:fs';
import { open, type FileHandle } from 'node:fs/promises';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { createInflateRaw } from 'node:zlib';

/** APPNOTE.TXT 4.3.16, 4.3.12 and 4.3.7: end of central directory, its file headers, the local file headers. */
const endRecord = { signature: 0x06054b50, size: 22 };
const centralHeader = { signature: 0x02014b50, size: 46 };
const localHeader = { size: 30 };

const readAt = async (file: FileHandle, position: number, length: number): Promise<Buffer> => {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead < length) throw new Error('the archive is cut off');
  return buffer;
};

const centralDirectory = async (file: FileHandle): Promise<Buffer> => {
  const { size } = await file.stat();
  const length = Math.min(size, 65_535 + endRecord.size);
  const tail = await readAt(file, size - length, length);
  for (let at = length - endRecord.size; at >= 0; at -= 1)
    if (tail.readUInt32LE(at) === endRecord.signature)
      return readAt(file, tail.readUInt32LE(at + 16), tail.readUInt32LE(at + 12));
  throw new Error('the archive has no end');
};

const locate = async (file: FileHandle, member: RegExp) => {
  const directory = await centralDirectory(file);
  let at = 0;
  while (at < directory.length && directory.readUInt32LE(at) === centralHeader.signature) {
    const nameLength = directory.readUInt16LE(at + 28);
    const nameEnd = at + centralHeader.size + nameLength;
    if (member.test(directory.toString('utf8', at + centralHeader.size, nameEnd))) {
      const header = directory.readUInt32LE(at + 42);
      const local = await readAt(file, header, localHeader.size);
      const start = header + localHeader.size + local.readUInt16LE(26) + local.readUInt16LE(28);
      return { start, size: directory.readUInt32LE(at + 20), method: directory.readUInt16LE(at + 10) };
    }
    at = nameEnd + directory.readUInt16LE(at + 30) + directory.readUInt16LE(at + 32);
  }
  throw new Error(`the archive holds no ${member.source}`);
};

/** Writes the first member whose name matches to `target`. For archives below 4 GB whose content is already trusted. */
export const extractZipEntry = async (archive: string, member: RegExp, target: string): Promise<void> => {
  const file = await open(archive, 'r');
  let entry;
  try {
    entry = await locate(file, member);
  } finally {
    await file.close();
  }
  if (entry.method !== 0 && entry.method !== 8)
    throw new Error(`the archive uses compression ${entry.method}`);
  await pipeline(
    createReadStream(archive, { start: entry.start, end: entry.start + entry.size - 1 }),
    entry.method === 8 ? createInflateRaw() : new PassThrough(),
    createWriteStream(target, { mode: 0o755 }),
  );
};
