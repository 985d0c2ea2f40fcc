/*
 * The victims of the kill conformance suite: one program, one misbehaviour a name.
 *
 *     victim NAME ROOT TOKEN OPTIONS
 *
 * Started under its own name it first replaces itself by ROOT/runs/TOKEN, a copy of it that nobody else uses: so whatever a
 * process does to its name, its environment, its group, its session or its parents, /proc/PID/exe tells whose it is. When a
 * victim has done what it is called for, it writes ROOT/runs/TOKEN.ready with the number of its processes.
 *
 * Nothing here can outlive the suite for long: every process looks at ROOT/halt now and then, whose first byte the suite
 * sets when it has seen enough, and ends by itself when its time is over. Whatever multiplies is counted and bounded.
 */
#define _GNU_SOURCE
#include "common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <limits.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { LEFT_BEHIND = 7 };

extern char **environ;

static const char *root;
static const char *token;
static const char *options;
static int main_argc;
static char **main_argv;

static const volatile unsigned char *halt_flag;
static atomic_ulong *beat;
static atomic_long *forked;
static time_t deadline;
/* Every process that is in place writes a byte; the main process waits for them. */
static int in_place[2] = {-1, -1};

/* ---- common ---- */

void die(const char *what)
{
    fprintf(stderr, "victim: %s: %s\n", what, strerror(errno));
    _exit(70);
}

void sleep_ms(long ms)
{
    struct timespec pause = {ms / 1000, (ms % 1000) * 1000000};
    while (nanosleep(&pause, &pause) < 0 && errno == EINTR) { }
}

int has_option(const char *all, const char *name)
{
    size_t length = strlen(name);
    for (const char *at = all; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && (at[length] == ',' || at[length] == '=' || at[length] == 0))
            return 1;
    return 0;
}

const char *text_option(const char *all, const char *name, char *buffer, size_t size)
{
    size_t length = strlen(name);
    for (const char *at = all; at && *at; at = strchr(at, ',') ? strchr(at, ',') + 1 : NULL)
        if (strncmp(at, name, length) == 0 && at[length] == '=') {
            size_t end = strcspn(at + length + 1, ",");
            snprintf(buffer, size, "%.*s", (int)end, at + length + 1);
            return buffer;
        }
    return NULL;
}

long number_option(const char *all, const char *name, long fallback)
{
    char buffer[32];
    return text_option(all, name, buffer, sizeof buffer) ? atol(buffer) : fallback;
}

size_t all_pids(pid_t *pids, size_t most)
{
    DIR *proc = opendir("/proc");
    size_t count = 0;
    struct dirent *entry;
    while (proc && count < most && (entry = readdir(proc)))
        if (entry->d_name[0] >= '1' && entry->d_name[0] <= '9')
            pids[count++] = atoi(entry->d_name);
    if (proc)
        closedir(proc);
    return count;
}

int read_stat(pid_t pid, pid_t *parent, char *state, long *threads)
{
    char path[64], text[1024];
    snprintf(path, sizeof path, "/proc/%d/stat", pid);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return 0;
    ssize_t length = read(fd, text, sizeof text - 1);
    close(fd);
    if (length <= 0)
        return 0;
    text[length] = 0;
    char *rest = strrchr(text, ')');
    int above;
    return rest && sscanf(rest + 2, "%c %d %*d %*d %*d %*d %*u %*u %*u %*u %*u %*u %*u %*d %*d %*d %*d %ld", state, &above,
                          threads) == 3
        && (*parent = above, 1);
}

int descends_from(pid_t pid, pid_t ancestor, int depth)
{
    pid_t parent;
    char state;
    long threads;
    while (depth-- > 0 && read_stat(pid, &parent, &state, &threads) && parent > 0) {
        if (parent == ancestor)
            return 1;
        pid = parent;
    }
    return 0;
}

static void *map_file(const char *name, int flags, int protection, size_t size)
{
    char path[PATH_MAX];
    snprintf(path, sizeof path, "%s/%s", root, name);
    int fd = open(path, flags | O_CLOEXEC, 0666);
    if (fd < 0)
        die(path);
    if (flags & O_CREAT) {
        /* Under a server that runs as another user the suite must still be able to read it, and the other way round. */
        fchmod(fd, 0666);
        if (ftruncate(fd, (off_t)size) < 0)
            die(path);
    }
    void *at = mmap(NULL, size, protection, MAP_SHARED, fd, 0);
    close(fd);
    return at == MAP_FAILED ? (die(path), NULL) : at;
}

static int is_over(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return *halt_flag || now.tv_sec >= deadline;
}

static void set_up(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    deadline = now.tv_sec + number_option(options, "seconds", 120);
    halt_flag = map_file("halt", O_RDONLY, PROT_READ, 1);
}

/* Until the suite has seen enough. */
static void rest(void)
{
    while (!is_over())
        sleep_ms(500);
    _exit(0);
}

static void announce(void)
{
    char byte = 1;
    ssize_t ignored = write(in_place[1], &byte, 1);
    (void)ignored;
}

static void await(int count)
{
    char byte;
    while (count > 0 && read(in_place[0], &byte, 1) == 1)
        count--;
    if (count > 0)
        die("a process of mine did not get into place");
}

static void ready(int processes)
{
    char path[PATH_MAX], final[PATH_MAX];
    snprintf(path, sizeof path, "%s/runs/%s.part", root, token);
    snprintf(final, sizeof final, "%s/runs/%s.ready", root, token);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd < 0 || dprintf(fd, "%d\n", processes) < 0 || close(fd) < 0 || rename(path, final) < 0)
        die("ready");
}

/* The main process says that all is in place, and stays; or, where the run is to end by itself, leaves the others behind. */
static void stay(int processes)
{
    int leave = has_option(options, "leave");
    ready(leave ? processes - 1 : processes);
    if (leave)
        _exit(LEFT_BEHIND);
    rest();
}

/* The machine does not let it misbehave in this way: nothing to judge, and nobody's fault. */
static void prevented(const char *what)
{
    char path[PATH_MAX];
    int error = errno;
    snprintf(path, sizeof path, "%s/runs/%s.prevented", root, token);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
    if (fd >= 0) {
        dprintf(fd, "%s: %s\n", what, strerror(error));
        close(fd);
    }
    _exit(71);
}

static pid_t child(void (*body)(void))
{
    pid_t pid = fork();
    if (pid < 0)
        die("fork");
    if (pid == 0) {
        body();
        _exit(0);
    }
    return pid;
}

static void ignore_all_signals(void)
{
    for (int signal_number = 1; signal_number < 65; signal_number++)
        signal(signal_number, SIG_IGN);
}

/* A daemon as the book has it: nothing ties it to whoever started it. */
static void daemonize(void (*body)(void))
{
    pid_t middle = fork();
    if (middle < 0)
        die("fork");
    if (middle == 0) {
        setsid();
        child(body);
        _exit(0);
    }
    while (waitpid(middle, NULL, 0) < 0 && errno == EINTR) { }
}

/* Becomes the same program anew, with an emptied environment and without a word that could tell whose it is. */
static void become(const char *name, char *const argv0)
{
    char path[PATH_MAX], seconds[32], fd[16];
    snprintf(path, sizeof path, "%s/runs/%s", root, token);
    snprintf(seconds, sizeof seconds, "seconds=%ld", number_option(options, "seconds", 120));
    snprintf(fd, sizeof fd, "%d", in_place[1]);
    char *const arguments[] = {argv0, (char *)name, (char *)root, fd, seconds, NULL};
    char *const nothing[] = {NULL};
    execve(path, arguments, nothing);
    die("execve");
}

/* ---- trees ---- */

static void resting_child(void)
{
    announce();
    rest();
}

static void stubborn_child(void)
{
    ignore_all_signals();
    resting_child();
}

static void session_child(void)
{
    setsid();
    stubborn_child();
}

static void plain(void) { stay(1); }

static void ignores_signals(void)
{
    sigset_t all;
    sigfillset(&all);
    ignore_all_signals();
    sigprocmask(SIG_BLOCK, &all, NULL);
    child(resting_child);
    await(1);
    stay(2);
}

static void children(void)
{
    for (int i = 0; i < 5; i++)
        child(stubborn_child);
    await(5);
    stay(6);
}

static void sessions(void)
{
    for (int i = 0; i < 5; i++)
        child(session_child);
    await(5);
    stay(6);
}

static void daemon_of_the_book(void)
{
    daemonize(stubborn_child);
    await(1);
    stay(2);
}

static int chain_depth = 8;

static void chain_link(void)
{
    setsid();
    announce();
    if (--chain_depth > 0)
        child(chain_link);
    rest();
}

static void chain(void)
{
    child(chain_link);
    await(8);
    stay(9);
}

static void stopped_child(void)
{
    setsid();
    while (!is_over()) {
        announce();
        raise(SIGSTOP);
    }
}

static void stopped(void)
{
    pid_t first = child(stopped_child);
    pid_t second = child(stopped_child);
    waitpid(first, NULL, WUNTRACED);
    waitpid(second, NULL, WUNTRACED);
    int leave = has_option(options, "leave");
    ready(leave ? 2 : 3);
    if (leave)
        _exit(LEFT_BEHIND);
    while (!is_over())
        raise(SIGSTOP);
}

static void traced_child(void)
{
    ptrace(PTRACE_TRACEME, 0, 0, 0);
    raise(SIGSTOP);
    rest();
}

/* A tracer that will be told of its tracee's exit, and so can hold it, in a session of its own. */
static void tracer(void)
{
    setsid();
    ignore_all_signals();
    signal(SIGCHLD, SIG_DFL);
    pid_t tracee = child(traced_child);
    if (waitpid(tracee, NULL, 0) < 0 || ptrace(PTRACE_SETOPTIONS, tracee, 0, PTRACE_O_TRACEEXIT) < 0)
        die("ptrace");
    announce();
    rest();
}

static void traced(void)
{
    child(tracer);
    await(1);
    stay(3);
}

static void adopting_child(void)
{
    setsid();
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    daemonize(stubborn_child);
    daemonize(session_child);
    announce();
    rest();
}

static void subreaper(void)
{
    child(adopting_child);
    await(3);
    stay(4);
}

static void anew(void) { become("rest-anew", "sleep"); }

static void empty_environment(void)
{
    daemonize(anew);
    await(1);
    stay(2);
}

static void disguised(void) { become("rest-disguised", "[kworker/0:1-events]"); }

/* Its environment is overwritten where it stands: no exec, so the pages that /proc shows are emptied under the reader. */
static void wiped(void)
{
    setsid();
    char *from = environ[0], *to = from;
    for (char **variable = environ; *variable; variable++)
        to = *variable + strlen(*variable) + 1;
    memset(from, 0, (size_t)(to - from));
    memset(main_argv[1], 0, (size_t)(main_argv[main_argc - 1] + strlen(main_argv[main_argc - 1]) - main_argv[1]));
    prctl(PR_SET_NAME, "migration/0");
    announce();
    rest();
}

static void renamed(void)
{
    daemonize(disguised);
    daemonize(wiped);
    await(2);
    stay(3);
}

static void main_of_anew(int disguise)
{
    in_place[1] = atoi(token);
    set_up();
    if (disguise) {
        prctl(PR_SET_NAME, "kworker/0:1");
        setsid();
        announce();
        close(in_place[1]);
        for (int i = 1; i < main_argc; i++)
            memset(main_argv[i], 0, strlen(main_argv[i]));
        rest();
    }
    announce();
    close(in_place[1]);
    rest();
}

/* ---- bombs, hydras and churn: all bounded ---- */

static int take_one(long limit) { return atomic_fetch_add(forked, 1) < limit; }

static void bomb_driver(void)
{
    long rate = number_option(options, "rate", 200), limit = number_option(options, "count", 1000);
    struct timespec next;
    setsid();
    clock_gettime(CLOCK_MONOTONIC, &next);
    for (long i = 0; !is_over() && take_one(limit); i++) {
        pid_t pid = fork();
        if (pid == 0) {
            if (i % 2)
                setsid();
            rest();
        }
        atomic_fetch_add(beat, 1);
        if (i == 20)
            announce();
        next.tv_nsec += 1000000000L / rate;
        next.tv_sec += next.tv_nsec / 1000000000L;
        next.tv_nsec %= 1000000000L;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &next, NULL);
    }
    rest();
}

static void bomb(void)
{
    child(bomb_driver);
    await(1);
    stay(20);
}

/* Each that is made goes on like the one that made it. */
static void exponential_process(void)
{
    long limit = number_option(options, "count", 600), pause = number_option(options, "pause", 20);
    int told = 0;
    while (!is_over() && take_one(limit)) {
        pid_t pid = fork();
        atomic_fetch_add(beat, 1);
        if (pid == 0 && getpid() % 3 == 0)
            setsid();
        if (!told && atomic_load(forked) > 50) {
            told = 1;
            announce();
        }
        sleep_ms(pause);
    }
    rest();
}

static void exponential(void)
{
    child(exponential_process);
    await(1);
    stay(20);
}

/* A line of processes, each of which forks the next and ends: whoever looks sees another number each time. */
static void hydra_line(void)
{
    int own_session = has_option(options, "setsid");
    long pause = number_option(options, "pause", 1), limit = number_option(options, "count", 20000);
    setsid();
    announce();
    while (!is_over() && take_one(limit)) {
        pid_t pid = fork();
        if (pid > 0)
            _exit(0);
        if (pid == 0 && own_session)
            setsid();
        if (pid == 0)
            atomic_fetch_add(beat, 1);
        if (pid < 0)
            sleep_ms(1);
        if (pause)
            sleep_ms(pause);
    }
    rest();
}

static void hydra(void)
{
    long lines = number_option(options, "lines", 4);
    signal(SIGCHLD, SIG_IGN);
    for (long i = 0; i < lines; i++)
        daemonize(hydra_line);
    await((int)lines);
    stay((int)lines);
}

static void churn_driver(void)
{
    setsid();
    announce();
    for (long i = 0; !is_over() && take_one(number_option(options, "count", 30000)); i++) {
        pid_t pid = fork();
        if (pid == 0)
            _exit(0);
        if (pid > 0)
            waitpid(pid, NULL, 0);
        atomic_fetch_add(beat, 1);
        if (i % 4 == 0)
            sleep_ms(1);
    }
    rest();
}

static void churn(void)
{
    for (int i = 0; i < 3; i++)
        child(churn_driver);
    await(3);
    stay(4);
}

static void fleeting(void)
{
    srand((unsigned)getpid());
    announce();
    for (int generation = 0; generation < 4 && !is_over(); generation++) {
        sleep_ms(rand() % 20);
        if (fork() != 0)
            break;
        setsid();
        srand((unsigned)getpid());
    }
}

/* Every process ends at a moment of its own, while somebody is about to kill it. */
static void ends_meanwhile(void)
{
    signal(SIGCHLD, SIG_IGN);
    for (int i = 0; i < 20; i++)
        child(fleeting);
    await(20);
    srand((unsigned)getpid());
    ready(1);
    sleep_ms(rand() % 40);
    _exit(LEFT_BEHIND);
}

/* ---- threads, memory, descriptors ---- */

static void *live_thread(void *leader)
{
    pid_t parent;
    char state = 0;
    long threads = 0;
    do
        sleep_ms(1);
    while (!is_over() && read_stat((pid_t)(long)leader, &parent, &state, &threads) && state != 'Z');
    announce();
    while (!is_over()) {
        atomic_fetch_add(beat, 1);
        sleep_ms(5);
    }
    _exit(0);
}

static void *live_thread_of_main(void *leader)
{
    pid_t parent;
    char state = 0;
    long threads = 0;
    do
        sleep_ms(1);
    while (!is_over() && read_stat((pid_t)(long)leader, &parent, &state, &threads) && state != 'Z');
    ready(2);
    rest();
    return NULL;
}

static void lose_leader(void *(*body)(void *))
{
    pthread_t thread;
    if (pthread_create(&thread, NULL, body, (void *)(long)getpid()) != 0)
        die("pthread_create");
    pthread_exit(NULL);
}

static void leaderless(void)
{
    setsid();
    lose_leader(live_thread);
}

static void zombie_leader(void)
{
    child(leaderless);
    await(1);
    if (has_option(options, "leave"))
        stay(2);
    lose_leader(live_thread_of_main);
}

static void vfork_parent(void)
{
    setsid();
    /* The child announces for both: its parent stands still in the kernel from here on. */
    if (vfork() == 0) {
        announce();
        rest();
    }
    rest();
}

static void vfork_blocked(void)
{
    child(vfork_parent);
    await(1);
    stay(3);
}

static void large_child(void)
{
    size_t size = (size_t)number_option(options, "mib", 512) << 20;
    setsid();
    char *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED)
        die("mmap");
    memset(memory, 1, size);
    announce();
    rest();
}

static void large(void)
{
    child(large_child);
    await(1);
    stay(2);
}

static void close_all(void)
{
    for (int fd = 0; fd < 1024; fd++)
        close(fd);
}

static void closed_child(void)
{
    setsid();
    announce();
    close_all();
    rest();
}

static void closes_descriptors(void)
{
    child(closed_child);
    await(1);
    int leave = has_option(options, "leave");
    ready(leave ? 1 : 2);
    close_all();
    if (leave)
        _exit(LEFT_BEHIND);
    rest();
}

static void talking_child(void)
{
    setsid();
    signal(SIGPIPE, SIG_IGN);
    announce();
    while (!is_over()) {
        ssize_t ignored = write(1, "still here\n", 11) + write(2, "still here\n", 11);
        (void)ignored;
        sleep_ms(20);
    }
}

static void holds_output(void)
{
    daemonize(talking_child);
    await(1);
    stay(2);
}

static void flood(void)
{
    static char block[4096];
    memset(block, 'x', sizeof block);
    block[sizeof block - 1] = '\n';
    signal(SIGPIPE, SIG_IGN);
    announce();
    while (!is_over()) {
        ssize_t ignored = write(1, block, sizeof block) + write(2, block, sizeof block);
        (void)ignored;
    }
}

static void flooding_child(void)
{
    setsid();
    flood();
}

static void endless_output(void)
{
    child(flooding_child);
    child(flooding_child);
    await(2);
    int leave = has_option(options, "leave");
    ready(leave ? 2 : 3);
    if (leave)
        _exit(LEFT_BEHIND);
    flood();
}

/* ---- attacks on whoever started it ----
 *
 * They may reach the suite's own server and what is below it, and nothing else: a number is aimed at only after a walk up
 * its parents has met the process that the suite named. In a process namespace of its own that process cannot be seen, and
 * there everything may be aimed at, as it is the victim's own. */

static int own_namespace(void)
{
    char link[64] = "", outside[64] = "", number[16] = "";
    /* Where /proc shows another namespace's numbers, none of them may be aimed at. */
    return readlink("/proc/self/ns/pid", link, sizeof link - 1) > 0 && readlink("/proc/self", number, sizeof number - 1) > 0
        && atoi(number) == getpid() && text_option(options, "ns", outside, sizeof outside) && strcmp(link, outside) != 0;
}

static int is_fair_game(pid_t pid)
{
    pid_t fence = (pid_t)number_option(options, "fence", 0);
    return pid > 1 && pid != fence && fence > 1 && descends_from(pid, fence, 64);
}

static void kill_at(pid_t pid)
{
    int fd = (int)syscall(SYS_PIDFD_OPEN, pid, 0);
    if (fd >= 0 && is_fair_game(pid))
        syscall(SYS_PIDFD_SEND_SIGNAL, fd, SIGKILL, NULL, 0);
    if (fd >= 0)
        close(fd);
}

static void kills_parent(void)
{
    daemonize(stubborn_child);
    await(1);
    ready(2);
    kill_at(getppid());
    rest();
}

static void kills_all(void)
{
    static pid_t pids[32768];
    daemonize(stubborn_child);
    await(1);
    ready(2);
    if (own_namespace())
        kill(-1, SIGKILL);
    else
        for (int round = 0; round < 20; round++) {
            size_t count = all_pids(pids, sizeof pids / sizeof *pids);
            for (size_t i = 0; i < count; i++)
                if (pids[i] != getpid())
                    kill_at(pids[i]);
        }
    rest();
}

static void write_rubbish(int fd)
{
    static const char rubbish[512] = "\x7f\xff\xff\xff{\"type\":\"ended\",\"exitCode\":0}\n";
    for (int i = 0; i < 8; i++)
        if (send(fd, rubbish, sizeof rubbish, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 && errno == ENOTSOCK) {
            ssize_t ignored = write(fd, rubbish, sizeof rubbish);
            (void)ignored;
        }
}

/* Pipes can be opened through /proc, sockets taken by pidfd_getfd: files are left alone, as no promise covers those. */
static void attack(pid_t pid)
{
    char path[64], target[256];
    int pidfd = (int)syscall(SYS_PIDFD_OPEN, pid, 0);
    for (int fd = 0; fd < 512; fd++) {
        snprintf(path, sizeof path, "/proc/%d/fd/%d", pid, fd);
        ssize_t length = readlink(path, target, sizeof target - 1);
        if (length <= 0)
            continue;
        target[length] = 0;
        int taken = -1;
        if (strncmp(target, "pipe:", 5) == 0)
            taken = open(path, O_WRONLY | O_NONBLOCK | O_CLOEXEC);
        else if (strncmp(target, "socket:", 7) == 0 && pidfd >= 0)
            taken = (int)syscall(SYS_PIDFD_GETFD, pidfd, fd, 0);
        struct sockaddr name;
        socklen_t size = sizeof name;
        int is_socket = taken >= 0 && getsockname(taken, &name, &size) == 0;
        /* The suite's own requests come by TCP; to break those would only blind it. */
        if (taken >= 0 && (!is_socket || name.sa_family == AF_UNIX))
            write_rubbish(taken);
        if (taken >= 0)
            close(taken);
    }
    if (pidfd >= 0)
        close(pidfd);
}

static void attacks_host(void)
{
    pid_t pids[1024];
    signal(SIGPIPE, SIG_IGN);
    daemonize(stubborn_child);
    await(1);
    ready(2);
    pid_t parent = getpid();
    char state;
    long threads;
    while (read_stat(parent, &parent, &state, &threads) && parent > 0 && (own_namespace() || is_fair_game(parent))) {
        attack(parent);
        /* What stands beside an ancestor, as a keeper would. */
        size_t count = all_pids(pids, 1024);
        for (size_t i = 0; i < count; i++) {
            pid_t above = 0;
            if (pids[i] != getpid() && read_stat(pids[i], &above, &state, &threads) && above == parent && is_fair_game(pids[i]))
                attack(pids[i]);
        }
    }
    rest();
}

/* ---- cgroups ---- */

static int write_text(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return written > 0;
}

static char cgroup_folder[PATH_MAX];

/* Of version 2: where it is mounted, and the part of the path that is this process's. */
static void own_cgroup(char *path, size_t size)
{
    char line[PATH_MAX], mount[PATH_MAX] = "", type[64], own[PATH_MAX] = "";
    FILE *file = fopen("/proc/self/mounts", "r");
    while (file && !*mount && fgets(line, sizeof line, file))
        if (sscanf(line, "%*s %4095s %63s", mount, type) != 2 || strcmp(type, "cgroup2") != 0)
            *mount = 0;
    if (file)
        fclose(file);
    file = fopen("/proc/self/cgroup", "r");
    while (file && fgets(line, sizeof line, file))
        if (sscanf(line, "0::%4095s", own) == 1)
            break;
    if (file)
        fclose(file);
    snprintf(path, size, "%.2000s%.2000s", mount, strcmp(own, "/") == 0 ? "" : own);
}

static void cgroup_option(char *path, size_t size)
{
    if (!text_option(options, "cgroup", path, size))
        die("no option cgroup");
    if (strcmp(path, "own") == 0)
        own_cgroup(path, size);
}

static void nested_child(void)
{
    char path[PATH_MAX + 32], number[16];
    setsid();
    snprintf(number, sizeof number, "%d", getpid());
    snprintf(path, sizeof path, "%s/cgroup.procs", cgroup_folder);
    if (!write_text(path, number))
        prevented(path);
    announce();
    rest();
}

static void await_or_leave(pid_t pid)
{
    char byte;
    struct pollfd event = {in_place[0], POLLIN, 0};
    while (poll(&event, 1, 10) == 0)
        if (waitpid(pid, NULL, WNOHANG) == pid)
            _exit(71);
    if (read(in_place[0], &byte, 1) != 1)
        die("read");
}

/* A cgroup inside the one that is named or its own; the parent freezes it with the child inside. */
static void freezes_itself(void)
{
    char base[PATH_MAX], path[PATH_MAX + 32];
    int v1 = has_option(options, "v1");
    cgroup_option(base, sizeof base);
    snprintf(cgroup_folder, sizeof cgroup_folder, "%.3000s/%.200s", base, token);
    if (mkdir(cgroup_folder, 0755) < 0 && errno != EEXIST)
        prevented(cgroup_folder);
    await_or_leave(child(nested_child));
    snprintf(path, sizeof path, "%s/%s", cgroup_folder, v1 ? "freezer.state" : "cgroup.freeze");
    if (!write_text(path, v1 ? "FROZEN" : "1"))
        prevented(path);
    stay(2);
}

static void moves_out(void)
{
    cgroup_option(cgroup_folder, sizeof cgroup_folder);
    await_or_leave(child(nested_child));
    stay(2);
}

/* ---- a file system that stands still ---- */

static void writing_child(void)
{
    char path[PATH_MAX], folder[PATH_MAX];
    setsid();
    if (!text_option(options, "folder", folder, sizeof folder))
        die("no option folder");
    snprintf(path, sizeof path, "%.3000s/%.200s", folder, token);
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
    if (fd < 0)
        die(path);
    announce();
    while (!is_over()) {
        if (pwrite(fd, "x", 1, 0) < 0 || fdatasync(fd) < 0)
            die(path);
        sleep_ms(2);
    }
}

static void writes_to_folder(void)
{
    child(writing_child);
    await(1);
    stay(2);
}

/* ---- innocents ---- */

static pid_t suite;

/* They look after themselves where the suite was killed. */
static int suite_is_gone(void) { return getppid() != suite; }

static void innocent(void)
{
    suite = getppid();
    while (!is_over() && !suite_is_gone())
        sleep_ms(500);
}

/* Forks children that each have a code to end with, and says how many did not end so. */
static void innocent_parent(void)
{
    unsigned long wrong = 0, count = 0;
    suite = getppid();
    while (!is_over() && !suite_is_gone()) {
        int code = (int)(count++ % 100);
        pid_t pid = fork();
        if (pid == 0) {
            sleep_ms(code % 8);
            _exit(code);
        }
        int status = 0;
        while (waitpid(pid, &status, 0) < 0 && errno == EINTR) { }
        if (pid > 0 && !(WIFEXITED(status) && WEXITSTATUS(status) == code)) {
            wrong++;
            dprintf(1, "wrong %lu of %lu: status %d\n", wrong, count, status);
        }
        atomic_fetch_add(beat, 1);
    }
    _exit(0);
}

/* ---- */

static const struct {
    const char *name;
    void (*body)(void);
} victims[] = {
    {"plain", plain},
    {"ignores-signals", ignores_signals},
    {"children", children},
    {"sessions", sessions},
    {"daemon", daemon_of_the_book},
    {"chain", chain},
    {"stopped", stopped},
    {"traced", traced},
    {"subreaper", subreaper},
    {"empty-environment", empty_environment},
    {"renamed", renamed},
    {"bomb", bomb},
    {"exponential", exponential},
    {"hydra", hydra},
    {"churn", churn},
    {"ends-meanwhile", ends_meanwhile},
    {"zombie-leader", zombie_leader},
    {"vfork", vfork_blocked},
    {"large", large},
    {"closes-descriptors", closes_descriptors},
    {"holds-output", holds_output},
    {"endless-output", endless_output},
    {"kills-parent", kills_parent},
    {"kills-all", kills_all},
    {"attacks-host", attacks_host},
    {"freezes-itself", freezes_itself},
    {"moves-out", moves_out},
    {"writes-to-folder", writes_to_folder},
    {"innocent", innocent},
    {"innocent-parent", innocent_parent},
};

static int run_victim(void (*body)(void), char **argv)
{
    char path[PATH_MAX], self[PATH_MAX] = "";
    snprintf(path, sizeof path, "%s/runs/%s", root, token);
    if (readlink("/proc/self/exe", self, sizeof self - 1) < 0 || strcmp(self, path) != 0) {
        /* Another thread of whoever wrote the copy may have forked meanwhile and hold it open for writing for a moment. */
        for (int attempt = 0; attempt < 200; attempt++) {
            execv(path, argv);
            if (errno != ETXTBSY)
                break;
            sleep_ms(5);
        }
        die(path);
    }
    set_up();
    if (pipe(in_place) < 0)
        die("pipe");
    char name[PATH_MAX];
    snprintf(name, sizeof name, "runs/%s.beat", token);
    beat = map_file(name, O_RDWR | O_CREAT, PROT_READ | PROT_WRITE, sizeof *beat);
    forked = mmap(NULL, sizeof *forked, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    body();
    return 0;
}

int main(int argc, char **argv)
{
    const char *name = argc > 1 ? argv[1] : "";
    if (argc > 2 && strcmp(name, "nest") == 0)
        return nest(argv + 2);
    if (argc > 4 && strcmp(name, "as") == 0)
        return run_as(atoi(argv[2]), atoi(argv[3]), argv + 4);
    if (argc > 2 && strcmp(name, "cage") == 0)
        return cage(argv + 2);
    if ((argc == 3 || argc == 4) && strcmp(name, "sweep") == 0)
        return sweep(argv[2], argc == 4 ? argv[3] : NULL);
    if (argc > 3 && strcmp(name, "signal") == 0) {
        int missed = 0;
        for (int i = 3; i < argc; i++)
            missed |= atoi(argv[i]) < 2 || kill(atoi(argv[i]), atoi(argv[2])) < 0;
        return missed;
    }
    if (argc != 5) {
        fprintf(stderr, "usage: victim NAME ROOT TOKEN OPTIONS\n");
        return 64;
    }
    main_argc = argc;
    main_argv = argv;
    root = strdup(argv[2]);
    token = strdup(argv[3]);
    options = strdup(argv[4]);
    if (strcmp(name, "rest-anew") == 0 || strcmp(name, "rest-disguised") == 0) {
        main_of_anew(strcmp(name, "rest-disguised") == 0);
        return 0;
    }
    for (size_t i = 0; i < sizeof victims / sizeof *victims; i++)
        if (strcmp(victims[i].name, name) == 0)
            return run_victim(victims[i].body, argv);
    fprintf(stderr, "victim: there is no victim '%s'\n", name);
    return 64;
}
