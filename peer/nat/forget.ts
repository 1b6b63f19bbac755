/** Keep a map within its bound: what was put in first goes first. */
export function forgetOldest<Key>(map: Map<Key, unknown>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return
    map.delete(key)
  }
}
