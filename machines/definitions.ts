import { BASE_EDITION, BASE_IMAGE, EDITION_LABEL } from '../server/engine/base-image.ts';

/** The Debian releases that a disk is made of. */
export type Release = 'bookworm' | 'trixie';

/** The two ways to boot: on the kernel of this machine, in namespaces, or on a kernel of its own, user-mode Linux. */
export type Kernel = 'shared' | 'uml';

/** What the program says to type, and how it is tried. */
export interface Remedy {
  /** What its column in the table says. */
  readonly name: string;
  /** Typed by root before: what it takes for granted. */
  readonly given?: readonly string[];
  /** The words of it in what the program says. */
  readonly printed: string;
  /** What is typed for them; the words themselves, if not given. Its `npm start` comes to the ready line. */
  readonly typed?: string;
}

/** A thing that `npm run doctor` says, which it no longer says once the remedy was typed. */
export interface Complaint {
  /** Typed by root before: what makes it true. */
  readonly given?: readonly string[];
  /** The same in the user’s own shell. */
  readonly shell?: string;
  readonly says: RegExp;
  readonly typed: string;
  /** The words of it in what doctor says; what is typed, if not given. */
  readonly printed?: string;
  /** It is the kernel’s, or needs a right of root’s that this machine may lack: tried where the machine has a kernel of its own. */
  readonly isKernels?: true;
  /** It holds from the next sign-in on, and not in the shell in which it was typed. */
  readonly atNextSignIn?: true;
  /** It is a reboot: the machine is halted, and started again. */
  readonly isReboot?: true;
}

/** A machine of somebody who starts Quayside. */
export interface Definition {
  /** What its line in the table says. */
  readonly what: string;
  readonly release: Release;
  /** Who types; `learner` is an ordinary user. */
  readonly user: 'root' | 'learner';
  /** Typed by root before Quayside is there: what its owner has set up. */
  readonly setUp: readonly string[];
  /** Typed by the user before Quayside is there. */
  readonly userSetUp?: readonly string[];
  /** The base of all images is there: no registry is reached here, and only root can make it without one. */
  readonly hasBase: boolean;
  /** What the user has in the environment. */
  readonly environment?: Readonly<Record<string, string>>;
  /** The sentence that refuses it, where it is to be refused. */
  readonly refusal?: RegExp;
  /** What the refusal says to type: each makes it work. */
  readonly remedies?: readonly Remedy[];
  /** What `npm run doctor` is made to say before anything is started. */
  readonly complaints?: readonly Complaint[];
}

/** The base of all images, as a layer to import. */
export const BASE_ARCHIVE = '/var/lib/quayside-base.tar';
/** Imports it, after the engine’s command. A base that was imported counts only with its edition. */
export const BASE_IMPORT = `import --change 'LABEL ${EDITION_LABEL}=${BASE_EDITION}' - ${BASE_IMAGE} <${BASE_ARCHIVE}`;

const INSTALL = 'DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends';
const DEBIAN_ENGINE = ['apt-get update', `${INSTALL} docker.io docker-cli iptables`];
/** Debian’s newest engine on a stable machine: its packages are taken only where they are asked for. */
const NEWEST_ENGINE = [
  // Where its own release came from, sid is too.
  `sed -nE 's/^deb (\\[[^]]*\\] )?([^ ]+) .*/deb [check-valid-until=no] \\2 sid main/p' /etc/apt/sources.list | head -n 1 >/etc/apt/sources.list.d/sid.list`,
  'printf "Package: *\\nPin: release n=sid\\nPin-Priority: 100\\n" >/etc/apt/preferences.d/sid',
  'apt-get update',
  `${INSTALL} -t sid docker.io docker-cli iptables`,
];
const OWN_SOCKET = 'DOCKER_HOST=unix:///run/user/$(id -u)/docker.sock';

/** What every refusal of an engine offers: root is told it without sudo. */
const ownEngine = (user: Definition['user']): Remedy => ({
  name: 'own engine',
  printed:
    user === 'root'
      ? 'DOCKER_HOST=$(npm run -s engine -- start) npm start'
      : 'sudo DOCKER_HOST=$(sudo npm run -s engine -- start) npm start',
});
const MAY_SUDO = `echo 'learner ALL=(ALL) NOPASSWD: ALL' >/etc/sudoers.d/learner`;
const IMPORT_BASE = `docker ${BASE_IMPORT}`;

const engineSetting = (setting: object): string =>
  `mkdir -p /etc/docker && echo '${JSON.stringify(setting)}' >/etc/docker/daemon.json`;

const ALLOWS_ALL = '/etc/docker/seccomp.json';

/** systemd takes three starts in a minute, and is told to forget those before. */
const restartedWith = (setting: object): readonly string[] => [
  engineSetting(setting),
  `echo '{"defaultAction": "SCMP_ACT_ALLOW"}' >${ALLOWS_ALL}`,
  'systemctl reset-failed docker.service; systemctl restart docker.service',
];

/** What a person without rights is told on a machine whose engine is not ready for them, one thing after the other. */
const COMPLAINTS: readonly Complaint[] = [
  {
    says: /only root may install and start one/,
    typed: 'sudo apt-get install docker.io && sudo usermod -aG docker "$USER"',
    atNextSignIn: true,
  },
  {
    given: ['systemctl stop docker.service docker.socket'],
    says: /installed here and does not run, and only root may start it/,
    typed: 'sudo systemctl start docker',
  },
  {
    given: ['gpasswd --delete learner docker'],
    says: /this user may not use it/,
    typed: 'sudo usermod -aG docker "$USER"',
    atNextSignIn: true,
  },
  {
    given: ['apt-get remove -y docker-cli'],
    says: /the docker command, which is not installed/,
    typed: 'sudo apt-get install docker-cli',
  },
  {
    shell: 'export DOCKER_HOST=unix:///nowhere.sock',
    says: /engine that DOCKER_HOST names \(unix:\/\/\/nowhere.sock\) does not answer/,
    typed: 'unset DOCKER_HOST',
  },
  {
    // The machine is its own other machine.
    given: [
      'apt-get install -y --no-install-recommends openssh-server openssh-client',
      `runuser -l learner -c "mkdir -m 700 .ssh && ssh-keygen -q -N '' -f .ssh/id_ed25519 && cp .ssh/id_ed25519.pub .ssh/authorized_keys && ssh -o StrictHostKeyChecking=accept-new localhost true"`,
    ],
    shell: 'export DOCKER_TLS_VERIFY=1 DOCKER_HOST=tcp://127.0.0.1:2376',
    says: /to be asked over TLS/,
    printed:
      'ssh -fnNT -L /tmp/engine.sock:/var/run/docker.sock user@host, then DOCKER_HOST=unix:///tmp/engine.sock',
    typed:
      'ssh -fnNT -L /tmp/engine.sock:/var/run/docker.sock learner@localhost >/dev/null 2>&1; export DOCKER_HOST=unix:///tmp/engine.sock',
  },
  {
    isKernels: true,
    given: ['sysctl -w fs.inotify.max_user_instances=64'],
    says: /only 64 inotify instances/,
    typed: 'sudo sysctl -w fs.inotify.max_user_instances=1024',
  },
  {
    isKernels: true,
    given: ['sysctl -w fs.file-max=60000'],
    says: /only 60000 files open/,
    typed: 'sudo sysctl -w fs.file-max=1000000',
  },
  {
    // CAP_SYS_RESOURCE.
    isKernels: true,
    shell: 'ulimit -n 512',
    says: /only 512 files open/,
    typed: 'sudo prlimit --nofile=65536 --pid $$',
  },
  {
    given: restartedWith({ 'seccomp-profile': ALLOWS_ALL }),
    says: /seccomp profile of its own/,
    printed: 'take "seccomp-profile" out of /etc/docker/daemon.json and restart Docker',
    typed: `echo '{}' | sudo tee /etc/docker/daemon.json; sudo systemctl restart docker`,
  },
  {
    given: restartedWith({
      runtimes: { another: { path: '/usr/sbin/runc' } },
      'default-runtime': 'another',
    }),
    says: /runs containers with another/,
    printed: 'set "default-runtime": "runc" in /etc/docker/daemon.json and restart Docker',
    typed: `echo '{"default-runtime": "runc"}' | sudo tee /etc/docker/daemon.json; sudo systemctl restart docker`,
  },
  {
    given: restartedWith({ 'storage-driver': 'vfs' }),
    says: /storage driver vfs copies/,
    printed: 'Set "storage-driver": "overlay2" in /etc/docker/daemon.json and restart Docker',
    typed: `echo '{"storage-driver": "overlay2"}' | sudo tee /etc/docker/daemon.json; sudo systemctl restart docker`,
  },
  {
    isKernels: true,
    given: ['modprobe -r ip_vs'],
    says: /The kernel has no IPVS/,
    typed: 'sudo modprobe ip_vs',
  },
  {
    // All but 5 GB of the disk is taken, and half of those by an image that nobody names.
    given: [
      `fallocate -l "$(($(df --output=avail -BM /var/lib/docker | tr -dc 0-9) - 5000))M" /var/taken`,
      'mkdir /tmp/large && truncate -s 2500M /tmp/large/file && tar -c -C /tmp/large . | docker import -',
    ],
    says: /Only \S+ GiB are free/,
    printed: 'docker image prune',
    typed: 'echo y | docker image prune',
  },
  {
    // As an upgrade leaves it: the modules that are on the disk are another kernel's.
    isKernels: true,
    given: [
      'rm -r /var/taken /tmp/large',
      'modprobe configs; modprobe -r veth; mount -t tmpfs none "/lib/modules/$(uname -r)"',
    ],
    says: /no longer on the disk, as after an upgrade/,
    typed: 'sudo reboot',
    isReboot: true,
  },
];

/** Every machine that can be named. */
export const MACHINES = {
  'debian-13': {
    what: 'Debian 13, root, no engine: set-up installs its own',
    release: 'trixie',
    user: 'root',
    setUp: [],
    hasBase: false,
  },
  'debian-13-user': {
    what: 'Debian 13, an ordinary user who may sudo and types what doctor says, engine 26',
    release: 'trixie',
    user: 'learner',
    setUp: [
      MAY_SUDO,
      // Whoever types it says yes.
      `echo 'APT::Get::Assume-Yes "true";' >/etc/apt/apt.conf.d/90yes`,
      'apt-get update',
    ],
    hasBase: true,
    complaints: COMPLAINTS,
  },
  'debian-13-bare': {
    what: 'Debian 13, an ordinary user who may sudo, no engine',
    release: 'trixie',
    user: 'learner',
    setUp: [MAY_SUDO],
    hasBase: false,
    refusal: /only root may install and start one/,
    remedies: [{ name: 'as root', printed: 'sudo npm start' }],
  },
  'debian-13-engine-28': {
    what: 'Debian 13 with the engine 28 of sid, root',
    release: 'trixie',
    user: 'root',
    setUp: NEWEST_ENGINE,
    hasBase: true,
  },
  'nested-28': {
    what: 'Debian 13, engine 26, and engine 28 in the hosts',
    release: 'trixie',
    user: 'root',
    setUp: DEBIAN_ENGINE,
    hasBase: true,
    environment: { QUAYSIDE_HOST_ENGINE: '28' },
  },
  'containerd-store': {
    what: 'Engine 28 with containerd’s image store, as engine 29 has it',
    release: 'trixie',
    user: 'root',
    setUp: [engineSetting({ features: { 'containerd-snapshotter': true } }), ...NEWEST_ENGINE],
    hasBase: true,
  },
  'userns-remap': {
    what: 'Engine 26 with "userns-remap": "default"',
    release: 'trixie',
    user: 'root',
    setUp: [engineSetting({ 'userns-remap': 'default' }), ...DEBIAN_ENGINE],
    hasBase: true,
    refusal: /userns-remap/,
    remedies: [
      ownEngine('root'),
      {
        name: 'without it',
        printed: 'take "userns-remap" out of /etc/docker/daemon.json and restart Docker',
        given: [
          // Its images are others than those of the engine that maps users.
          `rm /etc/docker/daemon.json && systemctl restart docker && ${IMPORT_BASE}`,
        ],
        typed: 'npm start',
      },
    ],
  },
  rootless: {
    what: 'Engine 26 rootless, an ordinary user',
    release: 'trixie',
    user: 'learner',
    setUp: [
      ...DEBIAN_ENGINE,
      `${INSTALL} rootlesskit slirp4netns uidmap dbus-user-session fuse-overlayfs`,
      // Debian’s tool looks for the command beside itself.
      'ln -s /usr/bin/docker /usr/share/docker.io/contrib/docker',
      'systemctl disable --now docker.service docker.socket',
      'loginctl enable-linger learner',
      MAY_SUDO,
    ],
    userSetUp: [
      'for i in $(seq 100); do [ -S /run/user/$(id -u)/bus ] && break; sleep 0.1; done',
      'export XDG_RUNTIME_DIR=/run/user/$(id -u); export DBUS_SESSION_BUS_ADDRESS=unix:path=$XDG_RUNTIME_DIR/bus PATH=$PATH:/usr/sbin:/sbin:/usr/share/docker.io/contrib; dockerd-rootless-setuptool.sh install --skip-iptables',
      `echo 'export ${OWN_SOCKET}' >>~/.profile`,
    ],
    hasBase: true,
    refusal: /rootless/i,
    remedies: [
      ownEngine('learner'),
      {
        name: 'machine’s engine',
        printed: 'unset DOCKER_HOST; docker context use default',
        given: [
          `systemctl enable --now docker.service && usermod -aG docker learner && ${IMPORT_BASE}`,
        ],
        typed: 'unset DOCKER_HOST; docker context use default; npm start',
      },
    ],
  },
  'debian-12': {
    what: 'Debian 12, root, engine 20.10, Node 20 of npm',
    release: 'bookworm',
    user: 'root',
    setUp: [
      'apt-get update',
      `${INSTALL} docker.io iptables`,
      // The release has Node 18.
      'npm install --global node@20',
    ],
    hasBase: true,
  },
  podman: {
    what: 'Debian 13, podman’s socket in the engine’s place, root',
    release: 'trixie',
    user: 'root',
    setUp: [
      'apt-get update',
      `${INSTALL} podman crun netavark aardvark-dns`,
      'systemctl enable --now podman.socket',
    ],
    hasBase: true,
    environment: { DOCKER_HOST: 'unix:///run/podman/podman.sock' },
    refusal: /podman/i,
    remedies: [ownEngine('root')],
  },
} as const satisfies Readonly<Record<string, Definition>>;

/** A machine’s name, as it is typed. */
export type MachineName = keyof typeof MACHINES;

export const MACHINE_NAMES = Object.keys(MACHINES) as readonly MachineName[];
