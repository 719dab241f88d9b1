import { answering, asBefore, on, type Scenarios } from '#lab';

const TAG = 'docker tag mycontainer:5.6 registry:5000/mycontainer:5.6';
/** The registry as it was at first: what was pushed to it is gone. */
const EMPTY_REGISTRY =
  'docker rm -fv registry && docker run -d --restart always --name registry -p 5000:5000 registry:2';
/** It listens a moment after its container has started. */
const AGAIN_UP = 'until curl -s registry:5000/v2/; do sleep 0.1; done';

/** Ways through the page `tag-and-push` that it does not show. */
export const tagAndPushScenarios: Readonly<Record<string, Scenarios>> = {
  'registry-port-read': {
    mistakes: [
      { what: 'the image', actions: [answering('registry')], says: 'That is no port' },
      { what: 'the port of web pages', actions: [answering('80')], says: '80 is not it' },
      { what: 'the image with its tag', actions: [answering('registry:2')], says: '2 is not it' },
    ],
    alternatives: [
      {
        what: 'asked of docker port',
        actions: [on('server01', 'docker port registry'), answering(/(0\.0\.0\.0:\d+)/)],
      },
    ],
  },

  'catalog-read': {
    mistakes: [
      {
        what: 'asked whether it is a registry',
        actions: [on('server01', 'curl http://registry:5000/v2/'), answering(/^(\{\})/m)],
        says: 'That is the answer at /v2/',
      },
      {
        what: 'without the underscore',
        actions: [
          on('server01', 'curl http://registry:5000/v2/catalog'),
          answering(/(404 page not found)/),
        ],
        says: 'with the underscore',
      },
      { what: 'a number', actions: [answering('0')], says: 'Copy the whole line' },
      {
        what: 'another list',
        actions: [answering('{"repositories":["mycontainer"]}')],
        says: 'It answers something else now',
      },
    ],
    alternatives: [
      {
        what: 'asked from another host',
        actions: [
          on('client', 'curl http://registry:5000/v2/_catalog'),
          answering(/(\{"repositories":\[\]\})/),
        ],
      },
      { what: 'only what is in the list', actions: [answering('[]')] },
    ],
  },

  'image-tagged': {
    mistakes: [
      {
        what: 'no port',
        actions: [on('server01', 'docker tag mycontainer:5.6 registry/mycontainer:5.6')],
        says: 'There is an image registry/mycontainer:5.6, but',
        undo: [on('server01', 'docker rmi registry/mycontainer:5.6')],
      },
      {
        what: 'the tag forgotten',
        actions: [on('server01', 'docker tag mycontainer:5.6 registry:5000/mycontainer')],
        says: 'a name without a tag is completed by Docker',
        undo: [on('server01', 'docker rmi registry:5000/mycontainer')],
      },
      {
        what: 'another image',
        actions: [on('server01', 'docker tag registry:2 registry:5000/mycontainer:5.6')],
        says: 'stand for two different images',
        undo: [on('server01', 'docker rmi registry:5000/mycontainer:5.6')],
      },
      {
        what: 'the other way round',
        actions: [on('server01', 'docker tag registry:5000/mycontainer:5.6 mycontainer:5.6')],
        says: asBefore,
      },
    ],
    alternatives: [
      {
        what: 'by the image’s ID',
        actions: [
          on(
            'server01',
            'docker tag $(docker images -q mycontainer:5.6) registry:5000/mycontainer:5.6',
          ),
        ],
      },
      {
        what: 'without the tag first, and then with it',
        actions: [
          on('server01', 'docker tag mycontainer:5.6 registry:5000/mycontainer'),
          on('server01', TAG.replace('tag', 'image tag')),
        ],
      },
    ],
  },

  'image-pushed': {
    mistakes: [
      {
        what: 'the name without the registry',
        actions: [on('server01', 'docker push mycontainer:5.6')],
        says: 'mycontainer:5.6 names no registry, so Docker takes it to Docker Hub',
      },
      {
        what: 'no port in the name',
        actions: [
          on('server01', 'docker tag mycontainer:5.6 registry/mycontainer:5.6'),
          on('server01', 'docker push registry/mycontainer:5.6'),
        ],
        says: 'somebody’s name on Docker Hub',
        undo: [on('server01', 'docker rmi registry/mycontainer:5.6')],
        remembered: true,
      },
      {
        what: 'by the registry’s address, which the engine was not told of',
        actions: [
          on('server01', 'docker tag mycontainer:5.6 10.1.10.11:5000/mycontainer:5.6'),
          on('server01', 'docker push 10.1.10.11:5000/mycontainer:5.6'),
        ],
        says: 'by a name that the engine does not expect',
        undo: [on('server01', 'docker rmi 10.1.10.11:5000/mycontainer:5.6')],
        remembered: true,
      },
      {
        what: 'another name',
        actions: [
          on('server01', 'docker tag mycontainer:5.6 registry:5000/myapp:5.6'),
          on('server01', 'docker push registry:5000/myapp:5.6'),
        ],
        says: 'registry:5000/myapp:5.6 was pushed, and is there under that name',
        undo: [on('server01', 'docker rmi registry:5000/myapp:5.6')],
        remembered: true,
      },
      {
        what: 'another tag',
        actions: [
          on('server01', 'docker tag mycontainer:5.6 registry:5000/mycontainer:latest'),
          on('server01', 'docker push registry:5000/mycontainer'),
        ],
        says: 'The registry has registry:5000/mycontainer:latest',
        undo: [
          on('server01', 'docker rmi registry:5000/mycontainer:latest'),
          on('server01', EMPTY_REGISTRY),
          on('server01', AGAIN_UP),
        ],
        remembered: true,
      },
      {
        what: 'the registry stopped',
        actions: [on('server01', 'docker stop registry')],
        says: 'the container registry does not run',
        undo: [on('server01', 'docker start registry'), on('server01', AGAIN_UP)],
        remembered: true,
      },
      {
        what: 'the registry removed',
        actions: [on('server01', 'docker rm -fv registry')],
        says: 'Nothing answers at registry:5000. The registry has to run on server01.',
        undo: [on('server01', EMPTY_REGISTRY), on('server01', AGAIN_UP)],
        remembered: true,
      },
    ],
    alternatives: [
      {
        what: 'with all its tags',
        actions: [on('server01', 'docker image push --all-tags registry:5000/mycontainer')],
      },
    ],
  },

  'digest-read': {
    mistakes: [
      {
        what: 'the ID of the image',
        actions: [
          on('server01', 'docker images --no-trunc'),
          answering(/^registry:5000\/mycontainer +5\.6 +sha256:([0-9a-f]+)/m),
        ],
        says: 'That is the ID',
      },
      { what: 'the tag', actions: [answering('5.6')], says: 'only the digits 0–9' },
      { what: 'too little of it', actions: [answering('a')], says: 'at least 4' },
      { what: 'a mistyped one', actions: [answering('0000')], says: 'by another digest' },
    ],
    alternatives: [
      {
        what: 'pushed once more',
        actions: [
          on('server01', 'docker push registry:5000/mycontainer:5.6'),
          answering(/digest: (sha256:[0-9a-f]{64})/),
        ],
      },
    ],
  },
};
