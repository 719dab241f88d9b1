import { asBefore, on, open, type Scenarios } from '#lab';

const RUN = 'docker run -d --name myapp -p 8080:80 registry:5000/mycontainer:5.6';
const PAGE = 'http://10.1.10.12:8080';

/** A build of the newer image whose Dockerfile is given on one line, without files beside it. */
const built = (name: string) =>
  `printf "FROM mycontainer:5.6\\nRUN sed -i 's/from/from a newer/' /www/cgi-bin/index.cgi\\n" | docker build -t ${name} -`;

/** Ways through the page `a-newer-version` that it does not show. */
export const aNewerVersionScenarios: Readonly<Record<string, Scenarios>> = {
  'runs-again': {
    mistakes: [
      {
        what: 'on the other server',
        actions: [on('server01', RUN)],
        says: 'myapp is on server01',
        undo: [on('server01', 'docker rm -f myapp')],
      },
      {
        what: 'with a command that ends at once',
        actions: [on('server02', `${RUN} true`)],
        says: 'a command of its own',
        undo: [on('server02', 'docker rm -f myapp')],
      },
      {
        what: 'another port',
        actions: [on('server02', RUN.replace('8080', '8081'))],
        says: 'publishes the port 8081 of the host',
        undo: [on('server02', 'docker rm -f myapp')],
      },
    ],
    alternatives: [
      {
        what: 'pulled whether it is there or not',
        actions: [on('server02', RUN.replace(' -d', ' -d --pull always'))],
      },
    ],
  },

  'newer-built': {
    mistakes: [
      {
        what: 'by the name that it has on server01 alone',
        actions: [on('server01', built('mycontainer:5.6'))],
        says: 'The newer image is named mycontainer:5.6.',
        undo: [on('server01', 'docker tag registry:5000/mycontainer:5.6 mycontainer:5.6')],
      },
      {
        what: 'another tag',
        actions: [on('server01', built('registry:5000/mycontainer:5.7'))],
        says: 'The newer image is named registry:5000/mycontainer:5.7.',
        undo: [on('server01', 'docker rmi registry:5000/mycontainer:5.7')],
      },
      {
        what: 'the same image tagged again',
        actions: [on('server01', 'docker tag mycontainer:5.6 registry:5000/mycontainer:5.6')],
        says: 'was given to the same image again',
      },
    ],
    alternatives: [
      {
        what: 'by its name on server01 first, and then tagged, as the first time',
        actions: [
          on('server01', built('mycontainer:5.6')),
          on('server01', 'docker tag mycontainer:5.6 registry:5000/mycontainer:5.6'),
        ],
      },
    ],
  },

  'newer-pushed': {
    mistakes: [
      {
        what: 'the name without the registry',
        actions: [on('server01', 'docker push mycontainer:5.6')],
        says: asBefore,
      },
      {
        what: 'another tag',
        actions: [
          on('server01', 'docker tag registry:5000/mycontainer:5.6 registry:5000/mycontainer:new'),
          on('server01', 'docker push registry:5000/mycontainer:new'),
        ],
        says: asBefore,
        undo: [on('server01', 'docker rmi registry:5000/mycontainer:new')],
      },
      {
        what: 'pulled in place of pushed',
        actions: [on('server01', 'docker pull registry:5000/mycontainer:5.6')],
        says: 'stands for the old image again',
        undo: [on('server01', built('registry:5000/mycontainer:5.6'))],
      },
    ],
    alternatives: [
      {
        what: 'with all its tags',
        actions: [on('server01', 'docker push -a registry:5000/mycontainer')],
      },
    ],
  },

  'older-page-opened': {
    mistakes: [
      {
        what: 'by curl, of which nobody sees what it shows',
        actions: [on('client', `curl -s ${PAGE}`)],
        says: 'cannot be seen from here',
      },
      { what: 'the other server', actions: [open('http://10.1.10.11:8080')], says: 'server01' },
      {
        what: 'no port',
        actions: [open('http://10.1.10.12')],
        says: 'was refused: nothing listens there',
      },
    ],
    alternatives: [{ what: 'by the server’s name', actions: [open('http://server02:8080')] }],
  },

  'newer-pulled': {
    mistakes: [
      {
        what: 'on the server that has it',
        actions: [on('server01', 'docker pull registry:5000/mycontainer:5.6')],
        says: 'That was on server01',
      },
      {
        what: 'the container restarted',
        actions: [on('server02', 'docker restart myapp')],
        says: asBefore,
      },
      {
        what: 'the name without the registry',
        actions: [on('server02', 'docker pull mycontainer:5.6')],
        says: asBefore,
      },
    ],
    alternatives: [
      {
        what: 'by a run that always pulls',
        actions: [
          on('server02', 'docker run --rm --pull always registry:5000/mycontainer:5.6 true'),
        ],
      },
    ],
  },

  'newer-page-opened': {
    mistakes: [
      {
        what: 'the container restarted',
        actions: [on('server02', 'docker restart myapp'), open(PAGE)],
        says: 'a container keeps the image that it was made from',
      },
      {
        what: 'no port',
        actions: [open('http://10.1.10.12')],
        says: 'was refused: nothing listens there',
      },
      {
        what: 'by curl, of which nobody sees what it shows',
        actions: [on('client', `curl -s ${PAGE}`)],
        says: 'cannot be seen from here',
      },
    ],
    alternatives: [
      {
        what: 'removed and made anew from the name',
        actions: [
          on('server02', 'docker stop myapp && docker rm myapp'),
          on('server02', RUN),
          open(`${PAGE}/`),
        ],
      },
    ],
  },
};
