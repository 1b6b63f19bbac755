import type { Hello, Message, Update } from '../../protocols/messages.ts'
import { present } from '../../src/core/assert.ts'
import type { Attack, Parcel } from './attack.ts'
import type { SpecOf } from './spec.ts'

/** Numbers of exchanges from here on are ours: an honest peer never comes near them. */
const exchangesFrom = 2 ** 40

/**
 * Asks for more than anybody can want: with every model that it sends go `times` pushes of the same,
 * each to be merged and answered, or so many questions for the newest parameters, or so many hellos
 * that want one back. What comes of them it does not take in.
 */
export function flood({ what, times }: SpecOf<'flood'>): Attack {
  let exchange = exchangesFrom
  let hello: Hello | undefined
  const make = (update: Update): Message => {
    switch (what) {
      case 'pushes':
        return { ...update, phase: 'push', exchange: exchange++ }
      case 'wants':
        return { kind: 'want', what: 'state', task: null }
      case 'hellos':
        return { ...present(hello, 'a hello before a model'), known: false }
    }
  }
  return {
    adopts: true,
    spies: false,
    instead: (message) => {
      if (message.kind === 'hello') hello = message
      if (message.kind !== 'update') return undefined
      const parcels: Parcel[] = [message]
      for (let i = 0; i < times; i++) parcels.push(make(message))
      return parcels
    },
    ignores: (message) => {
      if (message.kind === 'state') return what === 'wants'
      if (message.kind !== 'update' && message.kind !== 'decline') return false
      return message.exchange >= exchangesFrom || (what === 'wants' && message.exchange === 0)
    }
  }
}
