import { expect, test } from 'vitest';
import { upperDirectoriesIn } from '../../../server/sandbox/mount-table.ts';

const ID = 'a1'.repeat(32);
const OTHER = 'b2'.repeat(32);
const STORE = '/var/lib/containerd/io.containerd.snapshotter.v1.overlayfs/snapshots';
const MOUNT = (at: string, options: string, type = 'overlay') =>
  `657 263 0:196 / ${at} rw,relatime shared:17 - ${type} ${type} rw,${options}`;

test('a container writes where the overlay on its root has its upper directory', () => {
  const options = `lowerdir=${STORE}/21/fs:${STORE}/11/fs,upperdir=${STORE}/22/fs,workdir=${STORE}/22/work`;
  const table = [
    MOUNT('/', 'seclabel', 'ext4'),
    MOUNT(`/var/lib/docker/rootfs/overlayfs/${ID}`, options),
    MOUNT(`/mnt/a\\040disk/rootfs/overlayfs/${OTHER}`, 'upperdir=/mnt/a\\040disk/9/fs,xino=off'),
    MOUNT('/var/lib/docker/overlay2/abc/merged', options),
    '',
  ].join('\n');
  expect([...upperDirectoriesIn(table)]).toEqual([
    [ID, `${STORE}/22/fs`],
    [OTHER, '/mnt/a disk/9/fs'],
  ]);
});

test('what is no overlay, has no upper directory or is no line of the table names none', () => {
  const table = [
    MOUNT(`/x/rootfs/overlayfs/${ID}`, 'upperdir=/a', 'fuse.overlay'),
    MOUNT(`/x/rootfs/overlayfs/${ID}`, 'lowerdir=/a'),
    MOUNT('/x/rootfs/overlayfs/short', 'upperdir=/a'),
    'nonsense - overlay',
    ' - ',
  ].join('\n');
  expect(upperDirectoriesIn(table).size).toBe(0);
  expect(upperDirectoriesIn('').size).toBe(0);
});
