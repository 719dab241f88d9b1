import { answer, answering, check, on, open, theNumber, throughPort, visited } from '#lab';
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
];
