import { Home, publicMachine } from './home.ts'
import type { HomeKind } from './homes.ts'
import { Internet, type AccessLine } from './internet.ts'
import type { Lab } from './lab.ts'

/** Two homes and two helpers, to look around in by hand until somebody ends it. */
export async function hold(lab: Lab, pair: readonly HomeKind[], line: AccessLine): Promise<never> {
  const internet = new Internet(lab)
  const say = (text: string): void => void process.stdout.write(text + '\n')
  for (const number of [1, 2]) {
    const { host, addresses } = await publicMachine(internet, `helper${number}`, number)
    say(`${host.ns.padEnd(28)} ${addresses.ip4} ${addresses.ip6}`)
  }
  for (const [index, kind] of pair.entries()) {
    const home = await Home.build(internet, 'ab'[index] ?? `home${index}`, kind, line)
    const { ip4 = '', ip6 = '' } = home.addresses
    say(`${home.host.ns.padEnd(28)} ${ip4} ${ip6} (${kind}; seen as ${home.outside})`)
    if (home.router !== undefined) say(`${home.router.ns.padEnd(28)} its router`)
  }
  say(`\nEnter one with: ip netns exec NAME bash      Ctrl-C removes them all.`)
  setInterval(() => undefined, 60_000) // keeps the process alive
  return new Promise(() => undefined)
}
