import { createSocket } from 'node:dgram'
import { Resolver } from 'node:dns/promises'
import { multiaddr } from '@multiformats/multiaddr'
import { describe, expect, it, onTestFinished } from 'vitest'
import { DialRules } from '../../../peer/network/hygiene.ts'
import { nameResolvers, type NameService } from '../../../peer/network/names.ts'
import { startNode, startPeer } from '../swarm.ts'

/** Names in addresses, asked of a name server of our own on loopback. */

type Zone = Readonly<Record<string, { readonly A?: string[]; readonly TXT?: string[] }>>

/** As much of RFC 1035 as one question takes. */
function answerTo(query: Buffer, zone: Zone): Buffer {
  const labels: string[] = []
  let at = 12
  while (query[at] !== 0) {
    const length = query[at] ?? 0
    labels.push(query.toString('latin1', at + 1, at + 1 + length))
    at += length + 1
  }
  const type = query.readUInt16BE(at + 1)
  const question = query.subarray(12, at + 5)
  const records = zone[labels.join('.')] ?? {}
  const data =
    type === 1
      ? (records.A ?? []).map((ip) => Buffer.from(ip.split('.').map(Number)))
      : type === 16
        ? (records.TXT ?? []).map((text) =>
            Buffer.concat([Buffer.of(text.length), Buffer.from(text)])
          )
        : []
  const head = Buffer.alloc(12)
  query.copy(head, 0, 0, 2)
  head.writeUInt16BE(data.length > 0 ? 0x8180 : 0x8183, 2)
  head.writeUInt16BE(1, 4)
  head.writeUInt16BE(data.length, 6)
  const answers = data.map((piece) => {
    const answer = Buffer.alloc(12)
    answer.writeUInt16BE(0xc00c, 0)
    answer.writeUInt16BE(type, 2)
    answer.writeUInt16BE(1, 4)
    answer.writeUInt32BE(1, 6)
    answer.writeUInt16BE(piece.length, 10)
    return Buffer.concat([answer, piece])
  })
  return Buffer.concat([head, question, ...answers])
}

async function namesOf(zone: Zone): Promise<NameService> {
  const socket = createSocket('udp4')
  socket.on('message', (query, { port, address }) =>
    socket.send(answerTo(query, zone), port, address)
  )
  await new Promise<void>((resolve) => socket.bind(0, '127.0.0.1', resolve))
  onTestFinished(() => void socket.close())
  const resolver = new Resolver({ timeout: 1_000, tries: 1 })
  resolver.setServers([`127.0.0.1:${socket.address().port}`])
  return {
    lookup: (host, family) => (family === 4 ? resolver.resolve4(host) : resolver.resolve6(host)),
    texts: async (host) => (await resolver.resolveTxt(host)).map((pieces) => pieces.join(''))
  }
}

describe('a bootstrap peer with a name', () => {
  it.each(['dns4', 'dns', 'dnsaddr'])('is found by its /%s', async (kind) => {
    const ben = await startPeer()
    const address = ben.node.getMultiaddrs()[0]!.toString()
    const port = address.split('/')[4]
    const names = await namesOf({
      'ben.test': { A: ['127.0.0.1'] },
      '_dnsaddr.ben.test': {
        TXT: [
          'v=spf1 -all',
          'dnsaddr=/nonsense',
          `dnsaddr=/ip4/127.0.0.1/tcp/1/p2p/${ben.id}`,
          `dnsaddr=${address}`
        ]
      }
    })
    const text =
      kind === 'dnsaddr'
        ? `/dnsaddr/ben.test/p2p/${ben.id}`
        : `/${kind}/ben.test/tcp/${port}/p2p/${ben.id}`
    const bootstrap = { address: multiaddr(text), peer: ben.id }
    // Nothing else is of our network here: it is dialed because the user's own name leads there.
    const rules = new DialRules([bootstrap.address], () => [])
    const ana = await startPeer({ bootstraps: [bootstrap], network: { names, rules } })
    expect(await ana.events.first('bootstrap-reached')).toMatchObject({ address: text })
    await ana.inputs.first('peerUp', ({ peer }) => peer === ben.id)
  })

  it('that does not exist leaves the others: one that works is enough', async () => {
    const ben = await startPeer()
    const names = await namesOf({})
    const bootstraps = [
      { address: multiaddr(`/dns4/gone.test/tcp/4001/p2p/${ben.id}`), peer: ben.id },
      { address: multiaddr(`/dnsaddr/gone.test/p2p/${ben.id}`), peer: ben.id },
      { address: ben.node.getMultiaddrs()[0]!, peer: ben.id }
    ]
    const rules = new DialRules(
      bootstraps.map(({ address }) => address),
      () => []
    )
    const ana = await startPeer({ bootstraps, network: { names, rules } })
    await ana.inputs.first('peerUp', ({ peer }) => peer === ben.id)
  })
})

describe("a stranger's name", () => {
  it('does not lead into our network', async () => {
    const inside = await startPeer()
    const port = inside.node.getMultiaddrs()[0]!.toString().split('/')[4]
    const names = await namesOf({ 'evil.test': { A: ['127.0.0.1'] } })
    const node = await startNode({ names, rules: new DialRules([], () => []) })
    const dial = node.dial(multiaddr(`/dns4/evil.test/tcp/${port}/p2p/${inside.id}`))
    await expect(dial).rejects.toThrow(/denied/)
    expect(inside.node.getConnections()).toEqual([])
  })

  it('is not looked up when it is a list, which could lead on for ever', async () => {
    let asked = 0
    const names: NameService = {
      lookup: () => Promise.resolve([]),
      texts: () => {
        asked++
        return Promise.resolve(['dnsaddr=/dnsaddr/evil.test'])
      }
    }
    const resolver = nameResolvers(names, new DialRules([], () => [])).dnsaddr!
    const log = (await startNode()).logger.forComponent('test')
    expect(await resolver.resolve(multiaddr('/dnsaddr/evil.test'), { log })).toEqual([])
    expect(asked).toBe(0)
  })
})

describe('addresses that libp2p is told', () => {
  it('of a peer on this machine are not dialed by who listens elsewhere and met nobody here', async () => {
    const inside = await startPeer()
    const outside = await startPeer({ network: { rules: new DialRules([], () => []) } })
    const contact = { peer: inside.id, addresses: inside.body.status().addresses }
    outside.body.perform({ kind: 'connect', contact })
    await outside.inputs.first('unreachable')
    expect(inside.node.getConnections()).toEqual([])
  })
})
