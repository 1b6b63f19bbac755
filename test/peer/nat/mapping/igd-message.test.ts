import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  encodeAction,
  faultIn,
  servicesIn,
  textOf
} from '../../../../peer/nat/mapping/igd-message.ts'
import {
  decodeSearchAnswer,
  encodeSearch,
  routerTypes
} from '../../../../peer/nat/mapping/ssdp-message.ts'
import { described, found, service } from './igd-router.ts'

const home = '192.168.1.1'
const description = new URL(`http://${home}:5000/root.xml`)
const controls = (control: string, before = ''): readonly string[] =>
  servicesIn(described(service('WANIPConnection:1', control), before), description).map(
    ({ control }) => control.href
  )

describe('a search for routers', () => {
  const answer = (text: string): string | undefined =>
    decodeSearchAnswer(Buffer.from(text), home)?.href

  it('asks in the words of the standard', () => {
    expect(Buffer.from(encodeSearch(routerTypes[0] ?? '')).toString()).toBe(
      'M-SEARCH * HTTP/1.1\r\nHOST: 239.255.255.250:1900\r\nMAN: "ssdp:discover"\r\nMX: 1\r\n' +
        'ST: urn:schemas-upnp-org:device:InternetGatewayDevice:1\r\n\r\n'
    )
  })

  it('believes whoever answers about itself alone', () => {
    expect(answer(found(`http://${home}:5000/root.xml`))).toBe(description.href)
    for (const place of [
      'http://192.168.1.2:5000/root.xml',
      'http://router.example/root.xml',
      `http://${home}.example/`,
      `http://192.168.1.2@${home}/`,
      `https://${home}/root.xml`,
      `ftp://${home}/root.xml`,
      '/root.xml'
    ]) {
      expect(answer(found(place))).toBeUndefined()
    }
  })

  it('survives any bytes, also such as begin well', () => {
    const any = fc.uint8Array({ maxLength: 200 })
    const begun = fc
      .string({ unit: 'binary', maxLength: 100 })
      .map((text) => Buffer.from(found(`http://${home}/`) + text))
    fc.assert(
      fc.property(fc.oneof(any, begun), (bytes) => {
        const place = decodeSearchAnswer(bytes, home)
        expect(place === undefined || place.hostname === home).toBe(true)
      }),
      { numRuns: 1_000 }
    )
  })
})

describe('a description', () => {
  it('names services by path, by URL, or from a base, on the same host', () => {
    expect(controls('/ctl')).toEqual([`http://${home}:5000/ctl`])
    expect(controls(`http://${home}:6000/ctl`)).toEqual([`http://${home}:6000/ctl`])
    expect(controls('ctl', `<URLBase>http://${home}:80/igd/</URLBase>`)).toEqual([
      `http://${home}/igd/ctl`
    ])
  })

  it('names nobody else', () => {
    expect(controls('http://192.168.1.2/ctl')).toEqual([])
    expect(controls('//192.168.1.2/ctl')).toEqual([])
    expect(controls('http://[')).toEqual([])
    expect(controls('/ctl', '<URLBase>http://192.168.1.2/</URLBase>')).toEqual([
      `http://${home}:5000/ctl`
    ])
  })

  it('is read wherever a router puts its services, and in their order', () => {
    const inner = `<deviceList><device><serviceList>${service('WANPPPConnection:1', '/b')}</serviceList></device></deviceList>`
    const xml =
      described(service('WANCommonInterfaceConfig:1', '/no') + service('WANIPConnection:2', '/a')) +
      inner
    expect(
      servicesIn(xml, description).map(({ type }) => type.split(':').slice(-2).join(':'))
    ).toEqual(['WANIPConnection:2', 'WANPPPConnection:1'])
  })

  it('survives any text, in time that grows with its length', () => {
    const tags = fc.constantFrom(
      '<service>',
      '</service>',
      '<serviceType',
      '<controlURL ',
      '>',
      'a'
    )
    fc.assert(
      fc.property(
        fc.oneof(
          fc.string(),
          fc.array(tags).map((all) => all.join(''))
        ),
        (text) => {
          for (const { control } of servicesIn(text, description))
            expect(control.hostname).toBe(home)
          faultIn(text)
        }
      ),
      { numRuns: 1_000 }
    )
    const startMs = performance.now()
    for (const part of ['<service>', '<controlURL ', '<controlURL>', '<serviceType>x', '<', ' ']) {
      servicesIn(part.repeat(65_536 / part.length), description)
    }
    expect(performance.now() - startMs).toBeLessThan(2_000)
  })
})

describe('an action', () => {
  it('is a short letter, and its answer is looked through for what matters', () => {
    const [control] = servicesIn(described(service('WANIPConnection:1', '/ctl')), description)
    const action = control && encodeAction(control, 'AddPortMapping', [['NewExternalPort', 4001]])
    expect(action?.headers.soapaction).toBe(
      '"urn:schemas-upnp-org:service:WANIPConnection:1#AddPortMapping"'
    )
    expect(action?.body).toContain(
      '<u:AddPortMapping xmlns:u="urn:schemas-upnp-org:service:WANIPConnection:1">' +
        '<NewExternalPort>4001</NewExternalPort></u:AddPortMapping>'
    )
    expect(textOf('<a xmlns="x"> 11.0.0.7\n</a>', 'a')).toBe('11.0.0.7')
    expect(faultIn('<errorCode>718</errorCode>')).toBe(718)
    expect(faultIn('<errorCode>1e9</errorCode>')).toBeUndefined()
  })
})
