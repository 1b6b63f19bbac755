import { isIP } from 'node:net'

/**
 * SSDP: "which routers are there?", asked of the whole local network.
 * UPnP Device Architecture 1.1, section 1.3.
 */

export const ssdpGroup = { host: '239.255.255.250', port: 1900 } as const

/** Routers of version 2 answer questions for version 1; not all of them do. */
export const routerTypes = [1, 2].map(
  (version) => `urn:schemas-upnp-org:device:InternetGatewayDevice:${version}`
)

/** Bytes of an answer: it has to fit into one packet. Longer: not read. */
const answerBytesMax = 1_500

export function encodeSearch(type: string): Uint8Array {
  return Buffer.from(
    [
      'M-SEARCH * HTTP/1.1',
      `HOST: ${ssdpGroup.host}:${ssdpGroup.port}`,
      'MAN: "ssdp:discover"',
      'MX: 1',
      `ST: ${type}\r\n\r\n`
    ].join('\r\n')
  )
}

/**
 * Where the router that answers describes itself.
 * @returns undefined for all that is no answer, and for a place that is not at `sender`
 */
export function decodeSearchAnswer(bytes: Uint8Array, sender: string): URL | undefined {
  if (bytes.length > answerBytesMax) return undefined
  const [status = '', ...lines] = Buffer.from(bytes).toString('latin1').split(/\r?\n/)
  if (!/^HTTP\/1\.[01] 200/.test(status)) return undefined
  const headers = new Map(
    lines.map((line): [string, string] => {
      const colon = line.indexOf(':')
      return [line.slice(0, colon).trim().toLowerCase(), line.slice(colon + 1).trim()]
    })
  )
  if (!routerTypes.includes(headers.get('st') ?? '')) return undefined
  return placeAt(sender, headers.get('location'))
}

/** @returns the URL when it leads to that host by plain HTTP, as all routers have it */
export function placeAt(host: string, text: string | undefined, base?: URL): URL | undefined {
  if (text === undefined || text === '' || isIP(host) !== 4 || !URL.canParse(text, base?.href))
    return undefined
  const url = new URL(text, base)
  const isPlain = url.protocol === 'http:' && url.username === '' && url.password === ''
  return isPlain && url.hostname === host ? url : undefined
}
