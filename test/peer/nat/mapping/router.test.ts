import { afterEach, describe, expect, it, vi } from 'vitest'
import { Igd, findIgds } from '../../../../peer/nat/mapping/igd.ts'
import { NatPmp } from '../../../../peer/nat/mapping/nat-pmp.ts'
import { PortMapper, type Finder } from '../../../../peer/nat/mapping/port-mapper.ts'
import { Router } from '../../../../peer/nat/mapping/router.ts'
import { done, fault, igdRouter, type FakeIgd, type IgdOptions } from './igd-router.ts'
import {
  addressAnswer,
  honest,
  mapAnswer,
  natPmpRouter,
  readMapQuestion,
  refusal,
  type Answers,
  type FakeNatPmp
} from './nat-pmp-router.ts'

let pmp: FakeNatPmp | undefined
let igd: FakeIgd | undefined
afterEach(() => {
  pmp?.close()
  igd?.close()
  pmp = igd = undefined
})

const byNatPmp = async (answers: Answers): Promise<NatPmp> => {
  pmp = await natPmpRouter(answers)
  return new NatPmp('127.0.0.1', pmp.port)
}

const byUpnp = async (options: IgdOptions = {}): Promise<Igd> => {
  igd = await igdRouter(options)
  const control = new URL('/ctl', igd.url)
  return new Igd({ type: 'urn:schemas-upnp-org:service:WANIPConnection:1', control })
}

/** Ports that were mapped, ended ones as 0, in order. */
const mapped = (): readonly number[] =>
  (pmp?.asked ?? [])
    .filter(({ length }) => length === 12)
    .map((asked) => {
      const { externalPort, lifetimeSeconds } = readMapQuestion(asked)
      return lifetimeSeconds === 0 ? 0 : externalPort
    })

const refuses: Answers = (bytes, ...rest) =>
  bytes[1] === 0 ? honest()(bytes, ...rest) : [refusal(128 + (bytes[1] ?? 0), 2, 1)]

describe('a router', () => {
  it('maps a port once, in one language, and ends it at the stop', async () => {
    const router = new Router(await byUpnp())
    router.learn(await byNatPmp(honest()))
    expect(router.found).toMatchObject({ ports: [], problem: null })
    expect(await router.map(4001, '127.0.0.1')).toMatchObject({
      externalHost: '11.0.0.7',
      externalPort: 4001,
      internalHost: '127.0.0.1',
      internalPort: 4001,
      protocol: 'TCP'
    })
    expect(router.found).toEqual({
      host: '127.0.0.1',
      language: 'NAT-PMP',
      ports: [4001],
      problem: null
    })
    await router.stop()
    expect(mapped()).toEqual([4001, 0])
    expect(igd?.actions).toEqual([])
    expect(router.found.ports).toEqual([])
  })

  it('is asked in the other language when it refuses in one', async () => {
    const router = new Router(await byNatPmp(refuses))
    await expect(router.map(4001, '127.0.0.1')).rejects.toThrow('told to forward no ports')
    expect(router.found.problem).toContain('told to forward no ports')
    await router.externalIp()
    expect(router.found.problem).toContain('told to forward no ports') // an address is no port

    router.learn(await byUpnp())
    await router.map(4001, '127.0.0.1')
    expect(router.found).toMatchObject({ language: 'UPnP', ports: [4001], problem: null })
    await router.unmap(4001)
    expect(igd?.actions.map(({ action }) => action)).toEqual([
      'AddPortMapping',
      'DeletePortMapping'
    ])
  })

  it.each(['10.1.2.3', '100.64.0.2', '192.168.0.2', '0.0.0.0'])(
    'that is itself %s on the outside is left alone',
    async (ip) => {
      const router = new Router(await byNatPmp(honest(undefined, ip)))
      await expect(router.externalIp()).rejects.toMatchObject({ code: 'STARLING_UNREACHABLE' })
      await expect(router.map(4001, '127.0.0.1')).rejects.toThrow(`no public address itself`)
      expect(router.found.problem).toContain(ip)
      expect(mapped()).toEqual([])
    }
  )

  it('forwards to the network that it is on, and is not asked for another', async () => {
    const router = new Router(await byNatPmp(honest()))
    await expect(router.map(4001, '172.17.0.1')).rejects.toThrow('on another network')
    expect(mapped()).toEqual([])
    expect(router.found.problem).toBeNull()
  })

  it('is asked again at half of the time that it gives', async () => {
    const router = new Router(
      await byNatPmp((bytes, ...rest) =>
        bytes[1] === 0
          ? honest()(bytes, ...rest)
          : [mapAnswer(readMapQuestion(bytes), { externalPort: 5_005, lifetimeSeconds: 1 }, 9)]
      )
    )
    await router.map(4001, '127.0.0.1')
    await vi.waitFor(() => expect(mapped()).toEqual([4001, 5005, 5005]), { timeout: 5_000 })
    expect(router.found.ports).toEqual([5005])
    await router.stop()
  })

  it('is asked again when it has restarted, or has another address', async () => {
    let [epochSeconds, ip] = [100_000, '11.0.0.7']
    const router = new Router(
      await byNatPmp((bytes, ...rest) => honest(() => epochSeconds, ip)(bytes, ...rest))
    )
    await router.map(4001, '127.0.0.1')
    await router.externalIp()
    expect(mapped()).toEqual([4001])
    epochSeconds = 3
    await router.externalIp()
    await vi.waitFor(() => expect(mapped()).toEqual([4001, 4001]))
    ip = '11.0.0.9'
    await router.externalIp()
    await vi.waitFor(() => expect(mapped()).toEqual([4001, 4001, 4001]))
    await router.stop()
  })

  it('that gives our port to somebody else no longer counts', async () => {
    let epochSeconds = 100_000
    let externalPort = 4001
    const router = new Router(
      await byNatPmp((bytes) => {
        if (bytes[1] === 0) return [addressAnswer('11.0.0.7', epochSeconds)]
        const lease = { externalPort, lifetimeSeconds: 7_200 }
        return [mapAnswer(readMapQuestion(bytes), lease, epochSeconds)]
      })
    )
    await router.map(4001, '127.0.0.1')
    ;[epochSeconds, externalPort] = [3, 6_000]
    await router.externalIp()
    await vi.waitFor(() => expect(mapped()).toEqual([4001, 4001, 0]))
    expect(router.found).toMatchObject({ ports: [], problem: 'it gave port 4001 to somebody else' })
  })
})

describe('all that look for routers', () => {
  const finders = (natPmp: NatPmp, fake: FakeIgd): readonly Finder[] => [
    async (found, { signal }) => {
      if (await natPmp.answers(signal)) found(natPmp)
    },
    (found, search) =>
      findIgds(found, {
        ...search,
        from: ['127.0.0.1'],
        to: { host: '127.0.0.1', port: fake.searchPort }
      })
  ]

  it('find one router once, whatever it speaks', async () => {
    const natPmp = await byNatPmp(refuses)
    igd = await igdRouter()
    const mapper = new PortMapper(finders(natPmp, igd))
    const over = new AbortController()
    const found: string[] = []
    for await (const router of mapper.findGateways({ signal: over.signal, searchInterval: 50 })) {
      found.push(router.id)
      await vi.waitFor(() => router.map(4001, '127.0.0.1'))
      expect(router.found.language).toBe('UPnP')
      over.abort()
    }
    expect(found).toEqual(['127.0.0.1'])
    expect(mapper.found).toHaveLength(1)
    for await (const router of mapper.findGateways({ signal: AbortSignal.timeout(300) })) {
      expect.unreachable(`${router.id} is known`)
    }
  })

  it('find nothing where nobody answers, and end', async () => {
    const natPmp = await byNatPmp(() => [Buffer.alloc(7)])
    igd = await igdRouter({ answer: () => ['HTTP/1.1 200 OK\r\n\r\n'] })
    const mapper = new PortMapper(finders(natPmp, igd))
    for await (const router of mapper.findGateways({ signal: AbortSignal.timeout(200) })) {
      expect.unreachable(router.id)
    }
    expect(mapper.found).toEqual([])
  })

  it('leave a router alone that is behind another one, in both languages', async () => {
    const natPmp = await byNatPmp(honest(undefined, '100.64.0.2'))
    igd = await igdRouter({ act: () => done({ NewExternalIPAddress: '100.64.0.2' }) })
    const mapper = new PortMapper(finders(natPmp, igd))
    for await (const router of mapper.findGateways({ signal: AbortSignal.timeout(300) })) {
      await expect(router.map(4001, '127.0.0.1')).rejects.toThrow('no public address')
    }
    expect(mapper.found[0]?.problem).toContain('100.64.0.2')
    expect(mapped()).toEqual([])
    expect(igd.actions.filter(({ action }) => action === 'AddPortMapping')).toEqual([])
  })

  it('tell of a router that answers without an address, and use it when it has one', async () => {
    let result = 3
    const natPmp = await byNatPmp((bytes, ...rest) =>
      result === 0 ? honest()(bytes, ...rest) : [refusal(128 + (bytes[1] ?? 0), result, 1)]
    )
    igd = await igdRouter({ act: () => fault(501) })
    const mapper = new PortMapper(finders(natPmp, igd))
    for await (const router of mapper.findGateways({ signal: AbortSignal.timeout(300) })) {
      await expect(router.externalIp()).rejects.toThrow('refuses')
      expect(router.found).toMatchObject({ ports: [], problem: expect.any(String) as string })
      result = 0
      await router.map(4001, '127.0.0.1')
      expect(router.found).toMatchObject({ language: 'NAT-PMP', ports: [4001], problem: null })
    }
  })

  it('survive a router that fails at everything', async () => {
    const natPmp = await byNatPmp(refuses)
    igd = await igdRouter({ act: () => fault(501) })
    const mapper = new PortMapper(finders(natPmp, igd))
    for await (const router of mapper.findGateways({ signal: AbortSignal.timeout(300) })) {
      await expect(router.map(4001, '127.0.0.1')).rejects.toThrow('refuses')
      await router.stop()
    }
    expect(mapper.found).toMatchObject([{ ports: [] }])
  })
})
