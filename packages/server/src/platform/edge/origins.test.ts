import { describe, expect, it } from '@jest/globals';
import fc from 'fast-check';
import { createOriginPolicy } from './origins.ts';

describe('an origin in development', () => {
  const isAllowed = createOriginPolicy(
    ['https://App.example.com', 'http://localhost:5173'],
    'http://localhost:3000',
  );

  it.each<[origin: string | undefined, host: string | undefined]>([
    [undefined, undefined],
    [undefined, 'api.test'],
    // The server's own, by the Host of the request.
    ['http://api.test', 'api.test'],
    ['https://api.test', 'api.test'],
    ['ws://api.test', 'api.test'],
    ['wss://api.test', 'api.test'],
    ['WSS://API.test', 'api.TEST'],
    ['wss://127.0.0.1:3000', '127.0.0.1:3000'],
    ['ws://[::1]:3000', '[::1]:3000'],
    ['ws://[0:0:0:0:0:0:0:1]:3000', '[::1]:3000'],
    ['ws://[2001:DB8::1]', '[2001:db8:0::1]'],
    // A default port equals none.
    ['wss://api.test', 'api.test:443'],
    ['wss://api.test:443', 'api.test'],
    ['https://api.test:443', 'api.test:443'],
    ['ws://api.test:80', 'api.test'],
    ['http://api.test', 'api.test:80'],
    ['wss://api.test:', 'api.test'],
    // The dot of the root names the same host.
    ['wss://api.test.', 'api.test'],
    ['wss://api.test', 'api.test.'],
    // Of PUBLIC_URL and CORS_ORIGINS, whatever Host a proxy has written.
    ['http://localhost:3000', 'backend:8080'],
    ['ws://localhost:3000', undefined],
    ['https://app.example.com', 'api.test'],
    ['wss://app.example.com:443', 'api.test'],
    ['http://localhost:5173', 'api.test'],
  ])('%s is allowed where Host is %s', (origin, host) => {
    expect(isAllowed(origin, host)).toBe(true);
  });

  it.each<[origin: string, host: string | undefined]>([
    ['https://evil.example', 'api.test'],
    ['wss://evil.example', 'api.test'],
    ['wss://api.test.evil.example', 'api.test'],
    ['wss://evil-api.test', 'api.test'],
    ['https://app.example.com.evil.example', 'api.test'],
    // Another scheme or port of an origin that is allowed elsewhere.
    ['http://app.example.com', 'api.test'],
    ['ws://app.example.com', 'api.test'],
    ['https://app.example.com:8443', 'api.test'],
    ['https://localhost:5173', 'api.test'],
    // Another port, and a default port of the other scheme.
    ['ws://api.test:8080', 'api.test'],
    ['ws://api.test', 'api.test:8080'],
    ['ws://api.test:443', 'api.test'],
    ['wss://api.test:80', 'api.test'],
    ['ws://api.test', 'api.test:443'],
    // No origins at all.
    ['', 'api.test'],
    ['null', 'api.test'],
    ['null', 'null'],
    ['undefined', 'undefined'],
    ['api.test', 'api.test'],
    ['//api.test', 'api.test'],
    ['ftp://api.test', 'api.test'],
    ['file://api.test', 'api.test'],
    ['capacitor://api.test', 'api.test'],
    ['https://api.test/', 'api.test'],
    ['https://api.test/path', 'api.test'],
    ['https://api.test?query', 'api.test'],
    ['https://api.test#hash', 'api.test'],
    ['https://user@api.test', 'api.test'],
    ['https://user:secret@api.test', 'user:secret@api.test'],
    ['https://api.test@evil.example', 'api.test'],
    ['https://api.test:port', 'api.test:port'],
    ['https://api.test:99999', 'api.test:99999'],
    ['https://api.test, https://api.test', 'api.test'],
    ['https://api.test https://evil.example', 'api.test'],
    ['https:\\\\api.test', 'api.test'],
    ['https://', ''],
    ['https://api.test', undefined],
    ['https://api.test', ''],
    ['https://api.test', 'api.test/'],
    ['https://[::1', '[::1'],
    ['https://[zz]', '[zz]'],
  ])('%j is refused where Host is %j', (origin, host) => {
    expect(isAllowed(origin, host)).toBe(false);
  });

  it('of any other host is refused, whatever its scheme and port', () => {
    const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,8}[a-z0-9]$/);
    const host = fc.tuple(label, label).map((labels) => labels.join('.'));
    const port = fc.constantFrom('', ':80', ':443', ':3000');
    fc.assert(
      fc.property(
        host,
        host,
        fc.constantFrom('http', 'https', 'ws', 'wss'),
        port,
        port,
        (one, other, scheme, p, q) => {
          fc.pre(one !== other && one !== 'app.example.com');
          expect(isAllowed(`${scheme}://${one}${p}`, `${other}${q}`)).toBe(false);
        },
      ),
    );
  });
});

describe('an origin behind a TLS proxy, where PUBLIC_URL is https', () => {
  const isAllowed = createOriginPolicy([], 'https://api.example.com');

  it.each([
    ['https://api.example.com', 'api.example.com', true],
    ['wss://api.example.com', 'api.example.com', true],
    ['wss://api.example.com:443', 'api.example.com:443', true],
    // A proxy that forwards its own address, or the port that it calls.
    ['wss://api.example.com', '10.0.0.7:3000', true],
    ['wss://api.example.com', 'api.example.com:3000', true],
    // A page that was changed on its way over plain HTTP has this origin.
    ['http://api.example.com', 'api.example.com', false],
    ['ws://api.example.com:80', 'api.example.com:80', false],
    ['https://api.example.com:8443', 'api.example.com:8443', false],
    ['https://evil.example', 'api.example.com', false],
    // An address beside it, such as that of a staging host on the same process.
    ['https://internal.example', 'internal.example', true],
  ])('%s to %s: %s', (origin, host, allowed) => {
    expect(isAllowed(origin, host)).toBe(allowed);
  });
});
