import { readFileSync } from 'node:fs';
import { describe, expect, it } from '@jest/globals';
import { targetNames } from '../src/target-names.ts';

const proxyFile = (name: string) =>
  readFileSync(new URL(`../../../deploy/proxy/${name}`, import.meta.url), 'utf8');

/** A configuration file of nginx with the files of this directory that it includes. */
const configuration = (name: string): string =>
  proxyFile(name).replaceAll(/^ *include ([\w.-]+);$/gm, (_, included: string) => configuration(included));

describe('the configuration of nginx', () => {
  const nginx = configuration('nginx.conf');
  const upstreams = [...nginx.matchAll(/^ *upstream (\w+) \{/gm)].map(([, name]) => name);
  const mapped = [...proxyFile('paths.map').matchAll(/^(?:default|".*") (\w+);$/gm)].map(([, name]) => name);

  it('has one upstream per target', () => {
    expect([...upstreams].sort()).toEqual([...targetNames].sort());
  });

  it('maps paths to targets that have an upstream, and to every target', () => {
    expect(mapped).toHaveLength(proxyFile('paths.map').trim().split('\n').length - 1);
    expect([...new Set(mapped)].sort()).toEqual([...new Set(upstreams)].sort());
  });

  it('sends every path through the map', () => {
    expect([...nginx.matchAll(/proxy_pass (\S+);/g)].map(([, to]) => to)).toEqual([
      'http://$pufftrack_target',
      'http://$pufftrack_target',
    ]);
  });
});
