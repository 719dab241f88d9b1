/** Holds a lock until it is killed: `node file-lock-holder.ts <path> <exclusive|shared>`. */
import { FileLock } from '../../../server/base/file-lock.ts';

const [, , path = '', kind = ''] = process.argv;
const lock = FileLock.take(path, kind === 'shared' ? 'shared' : 'exclusive');
process.stdout.write(lock ? 'held\n' : 'refused\n');
process.stdin.resume();
