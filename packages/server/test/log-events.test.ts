import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from '@jest/globals';
import ts from 'typescript';

const root = join(import.meta.dirname, '../src');
const levels = new Set(['fatal', 'error', 'warn', 'info', 'debug', 'trace']);

const isSource = (file: string) => file.endsWith('.ts') && !file.endsWith('.test.ts');

/** `log[level](...)` counts as one. */
const isLogCall = ({ expression }: ts.CallExpression): boolean =>
  (ts.isPropertyAccessExpression(expression) && levels.has(expression.name.text)) ||
  (ts.isElementAccessExpression(expression) && /\blog(ger)?$/.test(expression.expression.getText()));

const hasEvent = ({ arguments: [fields] }: ts.CallExpression): boolean =>
  fields !== undefined &&
  ts.isObjectLiteralExpression(fields) &&
  fields.properties.some((property) => property.name?.getText() === 'event');

const logCallsOf = (text: string, file = 'source.ts') => {
  const source = ts.createSourceFile(file, text, ts.ScriptTarget.Latest, true);
  const calls: { place: string; hasEvent: boolean }[] = [];
  const visit = (node: ts.Node): void => {
    if (ts.isCallExpression(node) && isLogCall(node)) {
      const { line } = source.getLineAndCharacterOfPosition(node.getStart());
      calls.push({ place: `${file}:${line + 1}`, hasEvent: hasEvent(node) });
    }
    ts.forEachChild(node, visit);
  };
  visit(source);
  return calls;
};

describe('log lines', () => {
  it('carry a field event that operators search for, everywhere in the server', () => {
    const files = readdirSync(root, { recursive: true, encoding: 'utf8' }).filter(isSource);
    const calls = files.flatMap((file) => logCallsOf(readFileSync(join(root, file), 'utf8'), file));
    expect(calls.length).toBeGreaterThan(60);
    expect(calls.filter((call) => !call.hasEvent).map(({ place }) => place)).toEqual([]);
  });

  it.each([
    [`log.warn({ event: 'a.b' }, 'text')`, true],
    [`deps.log.info({ event, count }, 'text')`, true],
    [`log[level]({ event: 'a.b' }, 'text')`, true],
    [`log.warn({ err }, 'text')`, false],
    [`log.error('text')`, false],
    [`deps.log().error({ err: { event: 'a.b' } }, 'text')`, false],
    [`log[level]({ ...fields }, 'text')`, false],
  ])('%s has an event: %s', (text, expected) => {
    expect(logCallsOf(text).map((call) => call.hasEvent)).toEqual([expected]);
  });
});
