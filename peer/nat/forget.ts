/** Keep a map or a set within its bound: what was put in first goes first. */
export function forgetOldest<Key>(map: Map<Key, unknown> | Set<Key>, sizeMax: number): void {
  for (const key of map.keys()) {
    if (map.size <= sizeMax) return
    map.delete(key)
  }
}
