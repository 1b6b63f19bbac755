import { setTimeout as pause } from 'node:timers/promises'
import { afterEach, describe, expect, it } from 'vitest'
import { findIgds, openIgd, type Igd } from '../../../../peer/nat/mapping/igd.ts'
import {
  address,
  described,
  done,
  fault,
  found,
  igdRouter,
  service,
  type FakeIgd,
  type IgdOptions
} from './igd-router.ts'

const wish = {
  protocol: 'TCP',
  internalHost: '127.0.0.1',
  internalPort: 4001,
  externalPort: 4001
} as const

let router: FakeIgd | undefined
afterEach(() => {
  router?.close()
  router = undefined
})

async function opened(options: IgdOptions = {}): Promise<Igd | undefined> {
  router = await igdRouter(options)
  return openIgd(new URL(router.url))
}

const added = (): readonly (string | undefined)[] =>
  (router?.actions ?? [])
    .filter(({ action }) => action === 'AddPortMapping')
    .map(({ body }) => /<NewExternalPort>(\d+)<.*<NewLeaseDuration>(\d+)</.exec(body)?.slice(1, 3))
    .map((values) => values?.join(' for '))

describe('a router that is asked by UPnP', () => {
  it('tells its address, forwards a port and ends that again', async () => {
    const igd = await opened()
    expect(await igd?.externalIp()).toBe('11.0.0.8')
    expect(await igd?.forward(wish)).toEqual({ externalPort: 4001, lifetimeSeconds: 7_200 })
    await igd?.release(wish)
    expect(router?.actions.slice(2).map(({ action }) => action)).toEqual([
      'AddPortMapping',
      'DeletePortMapping'
    ])
    expect(router?.actions[2]?.body).toContain('<NewInternalClient>127.0.0.1</NewInternalClient>')
    expect(router?.actions[2]?.body).toContain('xmlns:u="urn:schemas-upnp-org:service:WANIPConn')
  })

  it.each(['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'])(
    'may have a %s',
    async (type) => {
      const igd = await opened({ describe: () => described(service(type, 'ctl?a=1&amp;b=2')) })
      expect(await igd?.externalIp()).toBe('11.0.0.8')
      expect(router?.paths).toContain('/ctl?a=1&b=2')
    }
  )

  it('is asked through the connection that has a public address', async () => {
    const igd = await opened({
      describe: () =>
        described(service('WANIPConnection:1', '/idle') + service('WANPPPConnection:1', '/line')),
      act: (_, body) =>
        body.includes('WANPPP') ? address : done({ NewExternalIPAddress: '0.0.0.0' })
    })
    expect(igd?.at).toMatch(/\/line$/)
  })

  it('that gives ports for ever only is taken at its word', async () => {
    const igd = await opened({
      act: (action, body) =>
        action === 'AddPortMapping' && !body.includes('Duration>0<') ? fault(725) : address
    })
    expect(await igd?.forward(wish)).toEqual({ externalPort: 4001, lifetimeSeconds: Infinity })
    expect(added()).toEqual(['4001 for 7200', '4001 for 0'])
  })

  it('is asked for another port when somebody else has ours, a few times', async () => {
    const igd = await opened({
      act: (action, body) =>
        action === 'AddPortMapping' && body.includes('ExternalPort>4001<') ? fault(718) : address
    })
    const lease = await igd?.forward(wish)
    expect(lease?.externalPort).not.toBe(4001)
    expect(added()).toHaveLength(2)
    router?.close()

    const full = await opened({
      act: (action) => (action === 'AddPortMapping' ? fault(718) : address)
    })
    await expect(full?.forward(wish)).rejects.toThrow('error 718')
    expect(added()).toHaveLength(4)
  })

  it('that refuses is believed, with its number', async () => {
    const igd = await opened({
      act: (action) => (action === 'AddPortMapping' ? fault(606) : address)
    })
    await expect(igd?.forward(wish)).rejects.toMatchObject({
      code: 'STARLING_UNREACHABLE',
      message: expect.stringContaining('error 606') as string
    })
    expect(added()).toHaveLength(1)
  })
})

describe('a description', () => {
  const elsewhere = 'http://192.0.2.66/ctl'

  it.each([
    ['names a control URL of another host', described(service('WANIPConnection:1', elsewhere))],
    ['names none', described(service('WANIPConnection:1', ''))],
    ['has a service of another kind', described(service('Layer3Forwarding:1', '/ctl'))],
    ['is a file', described(service('WANIPConnection:1', 'file:///etc/passwd'))],
    ['has a user', described(service('WANIPConnection:1', 'http://a:b@127.0.0.1/ctl'))],
    ['is no XML', '\0<<<>>><service><service'],
    ['is empty', '']
  ])('that %s leads nowhere', async (_, text) => {
    // The address of '' is that of the description, which does nothing when it is posted to.
    expect(await opened({ describe: () => text, act: () => fault(401) })).toBeUndefined()
  })

  it('whose base is of another host is read as if it had none', async () => {
    const igd = await opened({
      describe: () =>
        described(service('WANIPConnection:1', '/ctl'), `<URLBase>http://192.0.2.66/</URLBase>`)
    })
    expect(igd?.host).toBe('127.0.0.1')
  })

  it('of 10 MB is not read to its end', async () => {
    let sent = 0
    const serve: IgdOptions['serve'] = (_, response) => {
      const chunk = Buffer.alloc(64 * 1024, 'x')
      const more = (): void => {
        while (sent < 10e6 && !response.destroyed) {
          sent += chunk.length
          if (!response.write(chunk)) return void response.once('drain', more)
        }
        response.end()
      }
      more()
    }
    await expect(opened({ serve })).rejects.toThrow('more than 65536 bytes')
    expect(sent).toBeLessThan(10e6)
  })

  it('that takes a quarter of a million tags is read in no time', async () => {
    const text = '<service>'.repeat(7_000)
    const startMs = performance.now()
    expect(await opened({ describe: () => text })).toBeUndefined()
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })

  it('that has moved is not followed', async () => {
    const igd = await opened({
      serve: (request, response) => {
        if (request.url === '/root.xml') response.writeHead(302, { location: '/other.xml' }).end()
        else response.writeHead(200).end(described(service('WANIPConnection:1', '/ctl')))
      }
    })
    expect(igd).toBeUndefined()
    expect(router?.paths).toEqual(['/root.xml'])
  })

  it.each<[string, NonNullable<IgdOptions['serve']>]>([
    ['hangs up', (request) => request.socket.destroy()],
    [
      'hangs up half way',
      (request, response) => {
        response.writeHead(200, { 'content-length': 100 }).write('<root>')
        setImmediate(() => request.socket.destroy())
      }
    ],
    [
      'changes the protocol',
      (_, response) => {
        response.socket?.end('HTTP/1.1 101 Switching\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n')
      }
    ],
    ['is no HTTP', (_, response) => response.socket?.end('220 welcome\r\n')]
  ])('of a router that %s is given up', async (_, serve) => {
    await expect(opened({ serve })).rejects.toMatchObject({ code: 'STARLING_UNREACHABLE' })
  })

  it('that never comes is not waited for', async () => {
    router = await igdRouter({ serve: () => undefined })
    const late = AbortSignal.timeout(50)
    await expect(openIgd(new URL(router.url), late)).rejects.toThrow('no answer')
  })
})

describe('a search', () => {
  const search = async (options: IgdOptions, enough: () => boolean): Promise<readonly Igd[]> => {
    router = await igdRouter(options)
    const igds: Igd[] = []
    const over = new AbortController()
    const to = { host: '127.0.0.1', port: router.searchPort }
    const ssdp = { signal: over.signal, againMs: 50, from: ['127.0.0.1'], to }
    const searching = findIgds((igd) => igds.push(igd), ssdp)
    while (igds.length === 0 && !enough()) await pause(5)
    over.abort()
    await searching
    return igds
  }
  const never = (): boolean => false

  it.each(['InternetGatewayDevice:1', 'InternetGatewayDevice:2'])('finds an %s', async (type) => {
    const [igd] = await search({ answer: (url) => [found(url, type)] }, never)
    expect(igd?.host).toBe('127.0.0.1')
  })

  it('reads a description once, however often it is named', async () => {
    let answers = 0
    const answer = (url: string): readonly string[] => (answers++, [found(url), found(url)])
    const describe = (): string => described('')
    await search({ answer, describe }, () => answers > 6)
    expect(router?.paths).toEqual(['/root.xml'])
  })

  it('reads two descriptions of one address, not a thousand', async () => {
    let answers = 0
    const answer = (url: string): readonly string[] =>
      Array.from({ length: 20 }, () => found(`${url}?${answers++}`))
    await search({ answer, describe: () => described('') }, () => answers > 100)
    expect(router?.paths.length).toBeLessThanOrEqual(2)
  })

  it('survives and ignores what hostile neighbours answer', async () => {
    const bad = [
      '',
      'HTTP/1.1 200 OK\r\n\r\n',
      'FOO * HTTP/1.1\r\n\r\n',
      'NOTIFY * HTTP/1.1\r\nNTS: ssdp:alive\r\n\r\n',
      found('http://192.0.2.66/root.xml'),
      found('https://127.0.0.1/root.xml'),
      found('file:///etc/passwd'),
      found('http://['),
      found('http://127.0.0.1:1/', 'MediaServer:1'),
      Buffer.alloc(9_000, 0xff)
    ]
    const [igd] = await search({ answer: (url) => [...bad, found(url)] }, never)
    expect(igd?.at).toBe(router?.url.replace('root.xml', 'ctl'))
  })

  it('goes on when one of our networks is gone', async () => {
    router = await igdRouter()
    const over = new AbortController()
    const { promise, resolve } = Promise.withResolvers<Igd>()
    const to = { host: '127.0.0.1', port: router.searchPort }
    const from = ['192.0.2.77', '127.0.0.1']
    const searching = findIgds(resolve, { signal: over.signal, againMs: 50, from, to })
    expect((await promise).host).toBe('127.0.0.1')
    over.abort()
    await searching
  })
})
