import fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import {
  defaultGateways,
  likelyGateways,
  ownGateways
} from '../../../../peer/nat/mapping/own-gateways.ts'

describe('our gateways', () => {
  it('are those of the default routes, on Linux', () => {
    const table = [
      'Iface\tDestination\tGateway\tFlags\tRefCnt\tUse\tMetric\tMask\tMTU\tWindow\tIRTT',
      'wlan0\t00000000\t0101A8C0\t0003\t0\t0\t600\t00000000\t0\t0\t0',
      'eth0\t00000000\t0101A8C0\t0003\t0\t0\t100\t00000000\t0\t0\t0',
      'tun0\t00000000\t00000000\t0001\t0\t0\t50\t00000000\t0\t0\t0',
      'eth1\t00000000\tFE00000A\t0003\t0\t0\t700\t00000000\t0\t0\t0',
      'eth2\t00000000\t01000008\t0003\t0\t0\t700\t00000000\t0\t0\t0',
      'eth0\t0000A8C0\t0201A8C0\t0003\t0\t0\t100\t00FFFFFF\t0\t0\t0'
    ].join('\n')
    expect(defaultGateways(table)).toEqual(['192.168.1.1', '10.0.0.254']) // 8.0.0.1 is no home's
  })

  it('are guessed elsewhere: the first and the last of each network, never ourselves', () => {
    expect(
      likelyGateways([
        { address: '192.168.178.20', netmask: '255.255.255.0' },
        { address: '192.168.178.21', netmask: '255.255.255.0' },
        { address: '172.17.0.1', netmask: '255.255.0.0' },
        { address: '10.8.0.2', netmask: '255.255.255.255' },
        { address: '10.9.0.2', netmask: '255.255.255.254' }
      ])
    ).toEqual(['192.168.178.1', '192.168.178.254', '172.17.255.254'])
  })

  it('survive any table', () => {
    const line = fc.array(fc.oneof(fc.string(), fc.constant('00000000')), { maxLength: 12 })
    const table = fc.array(line.map((fields) => fields.join('\t'))).map((lines) => lines.join('\n'))
    fc.assert(fc.property(fc.oneof(fc.string(), table), (text) => void defaultGateways(text)))
  })

  it('can be asked for on this machine', async () => {
    expect((await ownGateways()).length).toBeLessThanOrEqual(8)
  })
})
