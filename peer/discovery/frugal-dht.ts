import { isPeerId } from '@libp2p/interface'
import { kadDHT, type KadDHT, type KadDHTComponents, type KadDHTInit } from '@libp2p/kad-dht'
import { dhtDialsPerMinuteMax } from '../../src/core/limits.ts'
import { DialBudget } from '../nat/dial-budget.ts'

type Manager = KadDHTComponents['connectionManager']

/**
 * libp2p's DHT, which dials few. It asks whomever anybody has named, for as long as somebody remembers them:
 * in a swarm of laptops most of these are gone, and dialing all of them would leave no dials for the living.
 */
export function frugalDht(init: KadDHTInit): (components: KadDHTComponents) => KadDHT {
  return (components) => {
    const budget = new DialBudget(dhtDialsPerMinuteMax, () => performance.now())
    const manager = frugal(components.connectionManager, budget)
    return kadDHT(init)(replaced(components, 'connectionManager', manager))
  }
}

/**
 * Opens streams to whom we are connected as before, and to others as far as the budget goes. Not to those
 * whom only a limited relay leads to: libp2p would dial them through it once more, to find that out.
 */
export function frugal(manager: Manager, budget: DialBudget): Manager {
  return replaced(manager, 'openStream', (peer, protocol, options) => {
    const connections = isPeerId(peer) ? manager.getConnections(peer) : []
    const isConnected = connections.some(({ limits }) => limits === undefined)
    if (connections.length > 0 && !isConnected) {
      return Promise.reject(new Error('only a limited relay leads to this peer'))
    }
    if (isConnected || budget.take()) return manager.openStream(peer, protocol, options)
    return Promise.reject(new Error('enough peers have been dialed for now'))
  })
}

/** The same, but for one property. */
function replaced<Whole extends object, Key extends keyof Whole>(
  whole: Whole,
  key: Key,
  value: Whole[Key]
): Whole {
  return new Proxy(whole, {
    get(target, name) {
      if (name === key) return value
      const own: unknown = Reflect.get(target, name)
      return typeof own === 'function' ? (own.bind(target) as unknown) : own
    }
  })
}
