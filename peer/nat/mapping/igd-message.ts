import { placeAt } from './ssdp-message.ts'

/**
 * What routers say of themselves and are asked by UPnP, in XML. Only a few tags with plain text in
 * them matter, so these are looked up, and nothing is parsed: no entities, no nesting, no surprises.
 *
 * UPnP InternetGatewayDevice:1, WANIPConnection:1 and WANPPPConnection:1 (2001); what version 2 has
 * besides is not needed.
 */

/** Services that forward ports; routers with a modem inside have the last one. */
const serviceTypes = ['WANIPConnection:2', 'WANIPConnection:1', 'WANPPPConnection:1'].map(
  (service) => `urn:schemas-upnp-org:service:${service}`
)

export interface Service {
  readonly type: string
  /** At the host that described it. */
  readonly control: URL
}

/**
 * The services of a description that forward ports.
 * @param description - where it was read; services elsewhere than on that host are left out
 */
export function servicesIn(xml: string, description: URL): readonly Service[] {
  const base = placeAt(description.hostname, textOf(xml, 'URLBase')) ?? description
  return xml.split(/<service[\s>]/).flatMap((rest) => {
    const type = serviceTypes.find((each) => each === textOf(rest, 'serviceType'))
    const control = placeAt(description.hostname, textOf(rest, 'controlURL'), base)
    return type === undefined || control === undefined ? [] : [{ type, control }]
  })
}

/** What stands in the first such tag; undefined when there is none. Linear in the text's length. */
export function textOf(xml: string, tag: string): string | undefined {
  const text = new RegExp(`<${tag}(?:\\s[^<>]*)?>([^<]*)</${tag}`).exec(xml)?.[1]
  return text?.trim().replaceAll('&amp;', '&')
}

/** @param values - in the order of the standard; numbers and words of ours, without special signs */
export function encodeAction(
  { type }: Service,
  action: string,
  values: readonly (readonly [name: string, value: string | number])[]
): { readonly headers: Readonly<Record<string, string>>; readonly body: string } {
  const inside = values.map(([name, value]) => `<${name}>${value}</${name}>`).join('')
  const soap = 'http://schemas.xmlsoap.org/soap'
  const body =
    `<?xml version="1.0"?>\r\n<s:Envelope xmlns:s="${soap}/envelope/" ` +
    `s:encodingStyle="${soap}/encoding/"><s:Body>` +
    `<u:${action} xmlns:u="${type}">${inside}</u:${action}></s:Body></s:Envelope>\r\n`
  return {
    headers: { 'content-type': 'text/xml; charset="utf-8"', soapaction: `"${type}#${action}"` },
    body
  }
}

/** UPnP's code of what went wrong; undefined when the answer names none. */
export function faultIn(xml: string): number | undefined {
  const code = textOf(xml, 'errorCode')
  return code !== undefined && /^\d{1,5}$/.test(code) ? Number(code) : undefined
}

/** Codes after which something else is tried. */
export const conflict = 718
export const onlyForever = 725
