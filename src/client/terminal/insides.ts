/** A member of something that is not known. */
export function part(of: unknown, name: string): unknown {
  return typeof of === 'object' && of !== null ? Reflect.get(of, name) : undefined;
}

export function has(of: unknown, method: string): boolean {
  return typeof part(of, method) === 'function';
}
