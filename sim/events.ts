import type { Checkpoint, ParticipantInput, Timer } from '../protocols/participant-io.ts'
import type { Parcel } from './adversaries/attack.ts'
import type { Eventually } from './learning/trainer.ts'
import type { NetworkEvent } from './network/network.ts'
import type { Life, Seat } from './seats.ts'

/** What happens in virtual time. */
export type WorldEvent =
  | NetworkEvent<Parcel>
  | { readonly kind: 'input'; readonly life: Life; readonly input: ParticipantInput }
  /** What learning answers: looked at when it is due, and not at all by a life that is over. */
  | {
      readonly kind: 'answer'
      readonly life: Life
      readonly answer: () => Eventually<ParticipantInput>
    }
  | {
      readonly kind: 'timer'
      readonly life: Life
      readonly timer: Timer
      readonly generation: number
    }
  | { readonly kind: 'written'; readonly life: Life; readonly checkpoint: Checkpoint }
  /** So long after a dial, somebody who has not answered is not there. */
  | { readonly kind: 'dialed'; readonly life: Life; readonly peer: number }
  /** Something that a hostile peer has planned. */
  | { readonly kind: 'plot'; readonly life: Life; readonly act: () => void }
  /** Something that a fault has planned. */
  | { readonly kind: 'weather'; readonly act: () => void }

/** Whom an event waits for while they are frozen. */
export function concernedBy(event: WorldEvent, seatAt: (peer: number) => Seat): Seat[] {
  switch (event.kind) {
    case 'weather':
    case 'hop': // still on its way
      return []
    case 'arrival':
      return [seatAt(event.to)]
    case 'opened':
      return [seatAt(event.a), seatAt(event.b)]
    case 'gone':
      return [seatAt(event.at)]
    case 'input':
    case 'answer':
    case 'timer':
    case 'written':
    case 'dialed':
    case 'plot':
      return [event.life.seat]
  }
}
