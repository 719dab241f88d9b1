import { asBefore, interrupt, on, open, type Scenarios } from '#lab';

const DETACHED = 'docker run -d --rm -p 8080:80 --name myapp registry:5000/mycontainer:5.6';
const FOREGROUND = DETACHED.replace(' -d', '');
const GONE = [on('server02', 'docker rm -f myapp')];

/** Ways through the page `run-elsewhere` that it does not show. */
export const runElsewhereScenarios: Readonly<Record<string, Scenarios>> = {
  'short-name-fails': {
    mistakes: [
      {
        what: 'on the server that has the image',
        actions: [on('server01', 'docker run --rm mycontainer:5.6 true')],
        says: 'On server01 the name is known',
      },
      {
        what: 'with a dash from a word processor',
        actions: [on('server02', 'docker run --rm –p 8080:80 --name myapp mycontainer:5.6')],
        says: 'One of the dashes in that command is a long one',
      },
      {
        what: 'where somebody has put the name there',
        actions: [
          on('server02', 'docker pull -q registry:5000/mycontainer:5.6'),
          on('server02', 'docker tag registry:5000/mycontainer:5.6 mycontainer:5.6'),
          on('server02', 'docker run --rm mycontainer:5.6 true'),
        ],
        says: 'That worked, so server02 has an image by the name',
        undo: [on('server02', 'docker rmi mycontainer:5.6 registry:5000/mycontainer:5.6')],
        remembered: true,
      },
    ],
    alternatives: [
      { what: 'only pulled', actions: [on('server02', 'docker pull mycontainer:5.6')] },
    ],
  },

  'runs-elsewhere': {
    mistakes: [
      {
        what: 'without --rm',
        actions: [on('server02', DETACHED.replace(' --rm', ''))],
        says: 'but without --rm',
        undo: GONE,
      },
      {
        what: 'on the other server',
        actions: [on('server01', DETACHED)],
        says: 'myapp is on server01',
        undo: [on('server01', 'docker rm -f myapp')],
      },
      {
        what: 'the two sides of -p confused',
        actions: [on('server02', DETACHED.replace('8080:80', '80:8080'))],
        says: 'listens on 80',
        undo: GONE,
      },
      {
        what: 'no port',
        actions: [on('server02', DETACHED.replace(' -p 8080:80', ''))],
        says: 'publishes no port',
        undo: GONE,
      },
      {
        what: 'no port in the name, so that it leads to Docker Hub',
        actions: [on('server02', DETACHED.replace(':5000', ''))],
        says: asBefore,
      },
    ],
    alternatives: [
      {
        what: 'pulled first',
        actions: [
          on('server02', 'docker pull registry:5000/mycontainer:5.6'),
          on('server02', FOREGROUND, { stays: true }),
        ],
      },
    ],
  },

  'opened-elsewhere': {
    mistakes: [
      { what: 'the other server', actions: [open('http://10.1.10.11:8080')], says: 'server01' },
      { what: 'no port', actions: [open('http://10.1.10.12')], says: 'Port 80' },
      { what: 'the registry', actions: [open('http://registry:5000/')], says: 'server01' },
    ],
    alternatives: [
      { what: 'by the server’s name', actions: [open('server02:8080')] },
      {
        what: 'by curl on the client',
        actions: [on('client', 'curl -s http://server02:8080')],
      },
    ],
  },

  'gone-by-itself': {
    mistakes: [
      {
        what: 'paused',
        actions: [on('server02', 'docker pause myapp', { second: true })],
        says: 'myapp is paused',
        undo: [on('server02', 'docker unpause myapp', { second: true })],
      },
      {
        what: 'looked for without -a',
        actions: [interrupt('server02'), on('server02', 'docker ps')],
        says: 'docker ps lists only what runs',
        undo: [on('server02', FOREGROUND, { stays: true })],
      },
      {
        what: 'another container, without --rm, ended',
        actions: [
          interrupt('server02'),
          on('server02', 'docker run -d --name myapp registry:5000/mycontainer:5.6'),
          on('server02', 'docker stop myapp'),
        ],
        says: 'it was run without --rm',
        undo: [on('server02', 'docker rm myapp'), on('server02', FOREGROUND, { stays: true })],
      },
    ],
    alternatives: [
      {
        what: 'stopped from a second terminal',
        actions: [
          on('server02', 'docker stop myapp', { second: true }),
          on('server02', 'docker container ls --all', { second: true }),
        ],
      },
    ],
  },
};
