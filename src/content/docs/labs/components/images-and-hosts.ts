import { check, image, on } from '#lab';
import { IMAGE } from './image.ts';

/** A build whose Dockerfile is given on one line, without files beside it. */
const built = (tag: string, ...lines: readonly string[]) =>
  on('server01', `printf '${lines.join('\\n')}\\n' | docker build -t ${tag} -`);
const site = image('site:1').on('server01');

/** The checks of the page `images-and-hosts`, in the order of its steps. */
export const imagesAndHosts = [
  check('site-built', {
    title: 'server01 has an image site:1, built on the lab’s, with a version and a file of yours',
    test: site.builtOn(IMAGE).hasLabel('version', '1').hasLayer(/COPY/),
    mistakes: [
      {
        what: 'no tag',
        actions: [built('site', `FROM ${IMAGE}`, 'LABEL version=1')],
        says: 'a name without a tag',
        undo: [on('server01', 'docker rmi site')],
      },
      {
        what: 'nothing but a second name',
        actions: [on('server01', `docker tag ${IMAGE} site:1`)],
        says: 'itself under a second name',
        undo: [on('server01', 'docker rmi site:1')],
      },
      {
        what: 'another label',
        actions: [built('site:1', `FROM ${IMAGE}`, 'LABEL version=2')],
        says: 'has the label version=2, not version=1',
        undo: [on('server01', 'docker rmi site:1')],
      },
      {
        what: 'no file of one’s own',
        actions: [built('site:1', `FROM ${IMAGE}`, 'LABEL version=1')],
        says: 'without the step that was asked for',
        undo: [on('server01', 'docker rmi site:1')],
      },
    ],
  }),
  check('site-tagged', {
    title: 'It is called registry:5000/site:1 as well',
    test: image('registry:5000/site:1').on('server01').sameAs('site:1'),
    mistakes: [
      {
        what: 'the image below it',
        actions: [on('server01', `docker tag ${IMAGE} registry:5000/site:1`)],
        says: 'two different images',
        undo: [on('server01', 'docker rmi registry:5000/site:1')],
      },
      {
        what: 'no port',
        actions: [on('server01', 'docker tag site:1 registry/site:1')],
        says: 'There is an image registry/site:1',
        undo: [on('server01', 'docker rmi registry/site:1')],
      },
    ],
  }),
];
