import {
  addressOf,
  atItsAddress,
  engineVersion,
  throughFormerPort,
  throughPort,
  value,
} from '#lab';
import { hello } from './image.ts';

/** What the prose says in the reader's own numbers. */
export const values = {
  'hello-port': value('<port>', hello.hostPort(80)),
  'hello-url': value('http://10.1.10.11:<port>', throughPort(hello).url),
  'hello-old-url': value('http://10.1.10.11:<old port>', throughFormerPort(hello).url),
  'hello-own-url': value('http://<container address>', atItsAddress(hello).url),
  'hello-address': value('<container address>', hello.addressOn('bridge')),
  'engine-version': value('<version>', engineVersion().on('server01')),
  'docker0-address': value('<docker0’s address>', addressOf('docker0').on('server01')),
};
