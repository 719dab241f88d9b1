import { answering, on, open, type Scenarios } from '#lab';

const RUN = 'docker run -d --name myapp2 -p :80 mycontainer:5.6';
const ANEW = `docker rm -f myapp2 && ${RUN}`;

/** Ways through the page `ephemeral-ports` that it does not show. */
export const ephemeralPortsScenarios: Readonly<Record<string, Scenarios>> = {
  'myapp2-on-ephemeral-port': {
    mistakes: [
      {
        what: 'a fixed port',
        actions: [on('server01', 'docker run -d --name myapp2 -p 8080:80 mycontainer:5.6')],
        says: 'fixed port 8080',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
      {
        what: 'a range of one’s own',
        actions: [on('server01', 'docker run -d --name myapp2 -p 8000-8010:80 mycontainer:5.6')],
        says: 'may only have a port from 8000-8010',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
      {
        what: 'on an address that only the server itself reaches',
        actions: [on('server01', 'docker run -d --name myapp2 -p 127.0.0.1::80 mycontainer:5.6')],
        says: 'publishes its port on 127.0.0.1, where nobody but server01 itself can reach it',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
      {
        what: 'no port at all',
        actions: [on('server01', 'docker run -d --name myapp2 mycontainer:5.6')],
        says: 'publishes no port',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
      {
        what: 'the two sides of -p confused',
        actions: [on('server01', 'docker run -d --name myapp2 -p :8080 mycontainer:5.6')],
        says: 'the web server in it listens on 80',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
      {
        what: 'on the other server',
        actions: [on('server02', RUN)],
        says: 'myapp2 is on server02',
        undo: [on('server02', 'docker rm -f myapp2')],
      },
      {
        what: 'by another name',
        actions: [on('server01', 'docker run -d --name myapp -p :80 mycontainer:5.6')],
        says: 'its name is myapp.',
        undo: [on('server01', 'docker rm -f myapp')],
      },
      {
        what: 'made and never started',
        actions: [on('server01', 'docker create --name myapp2 -p :80 mycontainer:5.6')],
        says: 'never started',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
      {
        what: 'with a command that ends at once',
        actions: [on('server01', `${RUN} true`)],
        says: 'a command of its own',
        undo: [on('server01', 'docker rm -f myapp2')],
      },
    ],
    alternatives: [
      {
        what: 'every port that the image declares',
        actions: [on('server01', 'docker run -d --name myapp2 -P mycontainer:5.6')],
      },
      {
        what: 'the range that Docker picks from, written down',
        actions: [on('server01', 'docker run -d --name myapp2 -p 32768-60999:80 mycontainer:5.6')],
      },
      {
        what: 'and on a port of one’s own choice as well',
        actions: [on('server01', 'docker run -d --name myapp2 -p :80 -p 9090:80 mycontainer:5.6')],
      },
      {
        what: 'made first, then started',
        actions: [
          on('server01', 'docker create --name myapp2 -p 80 mycontainer:5.6'),
          on('server01', 'docker start myapp2'),
        ],
      },
      {
        what: 'by another name, then renamed',
        actions: [
          on('server01', 'docker run -d --name myapp -p 0:80 mycontainer:5.6'),
          on('server01', 'docker rename myapp myapp2'),
        ],
      },
    ],
  },

  'myapp2-port-read': {
    mistakes: [
      { what: 'the container’s side', actions: [answering('80')], says: 'Port 80 is inside' },
      { what: 'a word', actions: [answering('ephemeral')], says: 'That is no port' },
      {
        what: 'some other port',
        actions: [answering('8080')],
        says: '8080 is not the port of myapp2',
      },
    ],
    alternatives: [
      { what: 'with the address before it', actions: [answering('0.0.0.0:{myapp2-port}')] },
      { what: 'as an address of a page', actions: [answering('{myapp2-url}/')] },
    ],
  },

  'myapp2-page-opened': {
    mistakes: [
      {
        what: 'another port',
        actions: [open('http://10.1.10.11:9')],
        says: 'Port 9 does not lead to myapp2',
      },
      {
        what: 'the other server',
        actions: [open('http://10.1.10.12:{myapp2-port}')],
        says: 'That was server02',
      },
      {
        what: 'the client itself',
        actions: [open('http://10.1.10.100:{myapp2-port}')],
        says: 'is not server01',
      },
      {
        what: 'the container’s own address, before there is a way to it',
        actions: [open('{myapp2-direct-url}')],
        says: 'the container’s own address, which the next page is about',
      },
    ],
    alternatives: [
      { what: 'by the server’s old name', actions: [open('http://agent01:{myapp2-port}/')] },
      { what: 'without http://', actions: [open('server01:{myapp2-port}')] },
      {
        what: 'by curl on the client',
        actions: [on('client', 'curl -s http://server01:{myapp2-port}')],
      },
    ],
  },

  'myapp2-restarted': {
    mistakes: [
      {
        what: 'paused',
        actions: [on('server01', 'docker pause myapp2')],
        says: 'myapp2 is paused',
        undo: [on('server01', 'docker unpause myapp2')],
      },
      {
        what: 'removed and made anew',
        actions: [on('server01', ANEW)],
        says: 'a new container, not the old one restarted',
      },
      {
        what: 'replaced by one with a fixed port',
        actions: [
          on(
            'server01',
            'docker rm -f myapp2 && docker run -d --name myapp2 -p 8081:80 mycontainer:5.6',
          ),
        ],
        says: 'fixed port 8081',
        undo: [on('server01', ANEW)],
      },
    ],
    alternatives: [
      {
        what: 'stopped, then started',
        actions: [on('server01', 'docker stop myapp2'), on('server01', 'docker start myapp2')],
      },
      {
        what: 'killed, then started',
        actions: [on('server01', 'docker kill myapp2 && docker start myapp2')],
      },
    ],
  },

  'port-changed': {
    mistakes: [
      {
        what: 'renamed instead of restarted',
        actions: [on('server01', 'docker rename myapp2 myapp3')],
        says: 'its name is myapp3',
        undo: [on('server01', 'docker rename myapp3 myapp2')],
      },
      {
        what: 'replaced by one that publishes nothing',
        actions: [
          on('server01', 'docker rm -f myapp2 && docker run -d --name myapp2 mycontainer:5.6'),
        ],
        says: 'publishes no port',
        undo: [on('server01', ANEW)],
      },
      {
        what: 'stopped and left so',
        actions: [on('server01', 'docker stop myapp2')],
        says: 'is stopped',
      },
    ],
    alternatives: [
      {
        what: 'restarted twice',
        actions: [on('server01', 'docker restart myapp2'), on('server01', 'docker restart myapp2')],
      },
    ],
  },
};
