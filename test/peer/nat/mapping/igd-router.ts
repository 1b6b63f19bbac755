import { once } from 'node:events'
import { createSocket } from 'node:dgram'
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http'
import type { AddressInfo } from 'node:net'

/** A router that speaks UPnP, on loopback: as bad as a test wants it. */

export interface IgdOptions {
  /** What it says of itself; by default one WANIPConnection:1. */
  readonly describe?: (url: string) => string
  readonly status?: number
  /** What it answers to an action; by default success, with its public address. */
  readonly act?: (action: string, body: string) => Reply
  /** Instead of all that: whatever it likes. */
  readonly serve?: (request: IncomingMessage, response: ServerResponse) => void
  /** What it answers to a search; by default where it describes itself. */
  readonly answer?: (url: string) => readonly (string | Buffer)[]
}

export interface Reply {
  readonly status: number
  readonly text: string
}

export interface FakeIgd {
  readonly url: string
  /** Where it is searched, by UDP. */
  readonly searchPort: number
  /** Bodies of actions, as they came. */
  readonly actions: readonly { readonly action: string; readonly body: string }[]
  /** Paths that were asked for. */
  readonly paths: readonly string[]
  close(): void
}

export const service = (type: string, control: string): string =>
  `<service><serviceType>urn:schemas-upnp-org:service:${type}</serviceType>` +
  `<serviceId>urn:upnp-org:serviceId:x</serviceId><controlURL>${control}</controlURL>` +
  '<eventSubURL>/evt</eventSubURL><SCPDURL>/scpd.xml</SCPDURL></service>'

export const described = (services: string, before = ''): string =>
  `<?xml version="1.0"?><root xmlns="urn:schemas-upnp-org:device-1-0">${before}<device>` +
  `<serviceList>${services}</serviceList></device></root>`

export const found = (url: string, type = 'InternetGatewayDevice:1'): string =>
  `HTTP/1.1 200 OK\r\nCACHE-CONTROL: max-age=120\r\nST: urn:schemas-upnp-org:device:${type}\r\n` +
  `USN: uuid:1::x\r\nLOCATION: ${url}\r\n\r\n`

export const done = (values: Readonly<Record<string, string>> = {}): Reply => ({
  status: 200,
  text: `<s:Envelope><s:Body><u:Response>${Object.entries(values)
    .map(([name, value]) => `<${name}>${value}</${name}>`)
    .join('')}</u:Response></s:Body></s:Envelope>`
})

export const fault = (code: number): Reply => ({
  status: 500,
  text: `<s:Envelope><s:Body><s:Fault><detail><UPnPError><errorCode>${code}</errorCode></UPnPError></detail></s:Fault></s:Body></s:Envelope>`
})

export const address = done({ NewExternalIPAddress: '11.0.0.8' })

const honestly = (action: string): Reply => (action === 'GetExternalIPAddress' ? address : done())

export async function igdRouter({
  describe = () => described(service('WANIPConnection:1', '/ctl')),
  status = 200,
  act = honestly,
  serve,
  answer = (url) => [found(url)]
}: IgdOptions = {}): Promise<FakeIgd> {
  const actions: { action: string; body: string }[] = []
  const paths: string[] = []
  const server = createServer((request, response) => {
    paths.push(request.url ?? '')
    if (serve !== undefined) return serve(request, response)
    const chunks: Buffer[] = []
    request.on('data', (chunk: Buffer) => chunks.push(chunk))
    request.on('end', () => {
      if (request.method === 'GET') {
        response.writeHead(status).end(describe(url))
        return
      }
      const body = Buffer.concat(chunks).toString()
      const action = /#(\w+)"$/.exec(String(request.headers.soapaction))?.[1] ?? ''
      actions.push({ action, body })
      const reply = act(action, body)
      response.writeHead(reply.status, { 'content-type': 'text/xml' }).end(reply.text)
    })
  })
  server.listen(0, '127.0.0.1')
  await once(server, 'listening')
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/root.xml`
  const search = createSocket('udp4')
  search.on('message', (_, asker) => {
    for (const bytes of answer(url)) search.send(bytes, asker.port, asker.address)
  })
  search.bind(0, '127.0.0.1')
  await once(search, 'listening')
  return {
    url,
    searchPort: search.address().port,
    actions,
    paths,
    close() {
      search.close()
      server.close()
      server.closeAllConnections()
    }
  }
}
