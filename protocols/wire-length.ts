/**
 * Bytes of a value in DAG-CBOR, without encoding it. A simulated world sends millions of messages and
 * only asks how long they are. The bytes are those of RFC 8949 with shortest heads; floats take nine.
 *
 * @param value - what a header can hold: null, booleans, numbers, strings, bytes, lists and maps of these; keys
 *   whose value is undefined are left out
 */
export function cborBytes(value: unknown): number {
  if (typeof value === 'string') return textBytes(value)
  if (typeof value === 'number') {
    return Number.isSafeInteger(value) ? headBytes(value < 0 ? -1 - value : value) : 9
  }
  if (Array.isArray(value)) return listBytes(value)
  if (value instanceof Uint8Array) return headBytes(value.length) + value.length
  return typeof value === 'object' && value !== null ? mapBytes(value) : 1
}

function listBytes(items: readonly unknown[]): number {
  return items.reduce<number>((sum, item) => sum + cborBytes(item), headBytes(items.length))
}

function mapBytes(map: object): number {
  let [count, sum] = [0, 0]
  // Unlike Object.entries, this makes nothing that has to be collected.
  for (const key in map) {
    const value = (map as Readonly<Record<string, unknown>>)[key]
    if (value === undefined) continue
    count++
    sum += textBytes(key) + cborBytes(value)
  }
  return headBytes(count) + sum
}

function textBytes(text: string): number {
  const bytes = Buffer.byteLength(text)
  return headBytes(bytes) + bytes
}

/** Of a length or a whole number, not negative. */
function headBytes(count: number): number {
  if (count < 24) return 1
  if (count < 2 ** 8) return 2
  if (count < 2 ** 16) return 3
  return count < 2 ** 32 ? 5 : 9
}
