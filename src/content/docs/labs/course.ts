import { defineCourse } from '#lab';

/** The class, from its first container to its network. */
export const course = defineCourse({
  title: 'Introduction to Docker',
  parts: [
    {
      title: 'Containers and images',
      labs: [
        { lab: 'run-a-container', minutes: 25 },
        { lab: 'build-an-image', minutes: 30, needs: ['run-a-container'] },
        { lab: 'publish-an-image', minutes: 25, needs: ['build-an-image'] },
      ],
    },
    {
      title: 'The network below',
      labs: [
        { lab: 'docker-networking', minutes: 45, needs: ['run-a-container', 'build-an-image'] },
      ],
    },
  ],
});
