import {
  answer,
  answering,
  asBefore,
  check,
  choice,
  command,
  on,
  open,
  theNumber,
  throughPort,
  visited,
} from '#lab';
import { hello, IMAGE } from './image.ts';

/** The checks of the page `components`, in the order of its steps. */
export const components = [
  check('hello-runs', {
    title: 'A container named hello runs on server01, on a port that Docker picked',
    test: hello,
    mistakes: [
      {
        what: 'a fixed port',
        actions: [on('server01', `docker run -d --name hello -p 8080:80 ${IMAGE}`)],
        says: 'fixed port 8080',
        undo: [on('server01', 'docker rm -f hello')],
      },
      {
        what: 'no port',
        actions: [on('server01', `docker run -d --name hello ${IMAGE}`)],
        says: 'publishes no port',
        undo: [on('server01', 'docker rm -f hello')],
      },
    ],
    alternatives: [
      {
        what: 'all ports of the image',
        actions: [on('server01', `docker run -d --name hello -P ${IMAGE}`)],
      },
    ],
  }),

  answer('hello-port-read', {
    title: 'You read the port off the screen',
    question: 'Which port of server01 leads to hello?',
    placeholder: '5 digits',
    reads: /:(\d+)/,
    judge: theNumber(hello.hostPort(80)),
    mistakes: [{ what: 'the port of the container', actions: [answering('80')], says: 'not 80' }],
  }),

  choice('who-gives', {
    title: 'You know who gives a container its address',
    question: 'Who gives a container its address?',
    options: { dhcp: 'a DHCP server', engine: 'the engine', kernel: 'the kernel' },
    right: 'engine',
    because: {
      dhcp: 'No DHCP server is part of Docker.',
      kernel: 'The kernel takes whatever address an interface is given.',
    },
  }),

  choice('always-there', {
    title: 'You know the networks that are always there',
    question: 'Which networks does every engine have?',
    options: { bridge: '`bridge`', host: '`host`', mynet: '`mynet`', none: '`none`' },
    right: ['bridge', 'host', 'none'],
    because: { mynet: 'mynet is there once somebody has made it.' },
  }),

  choice('life-in-order', {
    title: 'You know the order of a container’s life',
    question: 'In which order do these come?',
    options: { start: 'Its program starts', remove: 'It is removed', create: 'It is created' },
    order: ['create', 'start', 'remove'],
    because: { start: 'There is nothing to start before it is created.' },
  }),

  check('hello-opened', {
    title: 'Its page was opened through that port',
    test: visited(throughPort(hello)).from('client'),
    mistakes: [
      {
        what: 'the port of the container',
        actions: [open('http://10.1.10.11')],
        says: 'Port 80 does not lead',
      },
    ],
    alternatives: [
      { what: 'the host by its alias', actions: [open('http://agent01:{hello-port}')] },
    ],
  }),

  check('neighbours-listed', {
    title: 'You looked at the client’s neighbours',
    optional: true,
    test: command(/^ip neigh/).on('client'),
    mistakes: [{ what: 'another command', actions: [on('client', 'hostname')], says: asBefore }],
  }),

  check('ping-ended', {
    title: 'You ended the ping',
    test: command(/^ping/).on('client'),
  }),
];
