/**
 * What went wrong, in one line for people. Streams and sockets also reject with Events, which have
 * no message of their own, and dials with one error an address.
 */
export function reasonOf(failure: unknown): string {
  if (failure instanceof AggregateError && failure.errors.length > 0) {
    return [...new Set(failure.errors.map(reasonOf))].join('; ')
  }
  if (failure instanceof Error) {
    const hint = failure.name === 'EncryptionFailedError' ? ` (${strangeTongue})` : ''
    return oneLine(failure.message || failure.name) + hint
  }
  if (failure instanceof Event) {
    return 'error' in failure && failure.error !== undefined && failure.error !== null
      ? reasonOf(failure.error)
      : `the stream gave '${failure.type}'`
  }
  return oneLine(String(failure))
}

/** All that can be seen of two swarm keys that differ. */
const strangeTongue = 'it has another swarm key, or none and we have one, or it is no peer at all'

const reasonLengthMax = 300

/** Peers have a say in some messages: no line breaks, no escape sequences, no novels. */
function oneLine(text: string): string {
  return text.replace(/\p{C}+/gu, ' ').slice(0, reasonLengthMax)
}
