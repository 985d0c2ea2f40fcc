/* What the suite needs around a server: a parent that survives it, another user, a cage, and a last broom. */
#define _GNU_SOURCE
#include "common.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <limits.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- nest ----
 *
 * The parent of a server, for as long as the suite holds the other end of standard input. It adopts and reaps whatever the
 * server leaves behind, so that process 1 of the machine need not, and kills it when the suite is done or dead; before that
 * it kills nobody. It says the server's number and how it ended. */

enum { MOST_TASKS = 8000 };

static char tasks_folder[PATH_MAX];

static int write_to(const char *folder, const char *file, const char *text)
{
    char path[PATH_MAX + 32];
    snprintf(path, sizeof path, "%s/%s", folder, file);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    ssize_t written = fd < 0 ? -1 : write(fd, text, strlen(text));
    if (fd >= 0)
        close(fd);
    return written > 0;
}

/* Whatever goes wrong in here, and whoever does not reap, the machine keeps numbers for others. Only where version 1 has a
 * controller of its own for that: in version 2 it would be the very tree that a server makes its cgroups in. */
static void limit_tasks(void)
{
    char line[4096], mount[2048], type[64], given[1024];
    FILE *mounts = fopen("/proc/self/mounts", "r");
    while (mounts && fgets(line, sizeof line, mounts))
        if (sscanf(line, "%*s %2047s %63s %1023s", mount, type, given) == 3 && strcmp(type, "cgroup") == 0
            && has_option(given, "pids")) {
            snprintf(line, sizeof line, "%d", MOST_TASKS);
            snprintf(tasks_folder, sizeof tasks_folder, "%s/jobhost-conformance-%d", mount, getpid());
            if (mkdir(tasks_folder, 0755) < 0 || !write_to(tasks_folder, "pids.max", line)
                || !write_to(tasks_folder, "cgroup.procs", "0"))
                break;
            fclose(mounts);
            return;
        }
    if (mounts)
        fclose(mounts);
    *tasks_folder = 0;
}

static void unlimit_tasks(void)
{
    if (!*tasks_folder)
        return;
    char above[PATH_MAX];
    snprintf(above, sizeof above, "%s", tasks_folder);
    *strrchr(above, '/') = 0;
    write_to(above, "cgroup.procs", "0");
    for (int i = 0; i < 1000 && rmdir(tasks_folder) < 0; i++)
        sleep_ms(10);
}

static void kill_descendants(void)
{
    static pid_t pids[65536];
    for (int round = 0, idle = 0; idle < 2 && round < 2000; round++) {
        size_t count = all_pids(pids, sizeof pids / sizeof *pids);
        int found = 0;
        for (size_t i = 0; i < count; i++)
            if (pids[i] != getpid() && descends_from(pids[i], getpid(), 4096)) {
                pid_t parent;
                char state;
                long threads;
                kill(pids[i], SIGKILL);
                if (read_stat(pids[i], &parent, &state, &threads) && (state != 'Z' || threads > 1))
                    found = 1;
            }
        while (waitpid(-1, NULL, WNOHANG) > 0) { }
        idle = found ? 0 : idle + 1;
        sleep_ms(1);
    }
}

int nest(char **command)
{
    sigset_t set;
    prctl(PR_SET_CHILD_SUBREAPER, 1);
    signal(SIGPIPE, SIG_IGN);
    /* A terminal's Ctrl+C is the suite's to hear; what it then does here is to close our input. */
    setpgid(0, 0);
    limit_tasks();
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    int ended = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    pid_t server = fork();
    if (server < 0)
        die("fork");
    if (server == 0) {
        int nothing = open("/dev/null", O_RDONLY);
        dup2(nothing, 0);
        /* Standard error is the nest's alone, so that nothing the server says can be taken for its word. */
        dup2(1, 2);
        close(nothing);
        sigprocmask(SIG_UNBLOCK, &set, NULL);
        signal(SIGPIPE, SIG_DFL);
        execv(command[0], command);
        die(command[0]);
    }
    dprintf(2, "nest: server %d\n", server);
    struct pollfd events[2] = {{0, POLLIN, 0}, {ended, POLLIN, 0}};
    for (;;) {
        poll(events, 2, -1);
        struct signalfd_siginfo ignored;
        while (read(ended, &ignored, sizeof ignored) > 0) { }
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
            if (pid == server)
                dprintf(2, "nest: exit %d\n", WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
        char byte;
        if ((events[0].revents & (POLLIN | POLLHUP)) && read(0, &byte, 1) <= 0)
            break;
    }
    kill_descendants();
    unlimit_tasks();
    return 0;
}

/* ---- other users, and a container's rights ---- */

int run_as(int uid, int gid, char **command)
{
    if (setgroups(0, NULL) < 0 || setgid((gid_t)gid) < 0 || setuid((uid_t)uid) < 0)
        die("cannot become the user");
    execv(command[0], command);
    die(command[0]);
    return 1;
}

static void mount_cgroups_read_only(void)
{
    char line[4096], path[PATH_MAX];
    if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
        die("a mount namespace");
    FILE *mounts = fopen("/proc/self/mounts", "r");
    while (mounts && fgets(line, sizeof line, mounts)) {
        char type[64];
        if (sscanf(line, "%*s %4095s %63s", path, type) == 2 && strncmp(type, "cgroup", 6) == 0
            && mount(NULL, path, NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) < 0)
            die(path);
    }
    if (mounts)
        fclose(mounts);
}

/* The fourteen that Docker leaves to root. */
static const int kept[] = {CAP_CHOWN,  CAP_DAC_OVERRIDE, CAP_FSETID, CAP_FOWNER,           CAP_MKNOD,
                           CAP_NET_RAW, CAP_SETGID,      CAP_SETUID, CAP_SETFCAP,          CAP_SETPCAP,
                           CAP_KILL,   CAP_SYS_CHROOT,   CAP_AUDIT_WRITE, CAP_NET_BIND_SERVICE};

static void drop_capabilities(void)
{
    struct __user_cap_header_struct header = {_LINUX_CAPABILITY_VERSION_3, 0};
    struct __user_cap_data_struct data[2] = {{0, 0, 0}, {0, 0, 0}};
    for (size_t i = 0; i < sizeof kept / sizeof *kept; i++) {
        data[kept[i] / 32].effective |= 1u << (kept[i] % 32);
        data[kept[i] / 32].permitted |= 1u << (kept[i] % 32);
    }
    for (int capability = 0; prctl(PR_CAPBSET_READ, capability, 0, 0, 0) >= 0; capability++)
        if (!((data[capability / 32].permitted >> (capability % 32)) & 1))
            prctl(PR_CAPBSET_DROP, capability, 0, 0, 0);
    if (syscall(SYS_capset, &header, data) < 0)
        die("capset");
}

#define NEW_NAMESPACES 0x7E020080u
#define LOAD(field) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, field))
#define REFUSE(number, error)                                                                                             \
    BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, (number), 0, 1), BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | (error))

static void filter_calls(void)
{
    struct sock_filter code[] = {
        LOAD(nr),
        REFUSE(SYS_unshare, EPERM),
        REFUSE(SYS_setns, EPERM),
        REFUSE(SYS_mount, EPERM),
        REFUSE(SYS_umount2, EPERM),
        REFUSE(SYS_pivot_root, EPERM),
        REFUSE(428, EPERM), /* open_tree, move_mount, fsopen, fsconfig, fsmount, fspick, mount_setattr */
        REFUSE(429, EPERM),
        REFUSE(430, EPERM),
        REFUSE(431, EPERM),
        REFUSE(432, EPERM),
        REFUSE(433, EPERM),
        REFUSE(442, EPERM),
        REFUSE(435, ENOSYS), /* clone3, whose flags a filter cannot see */
        BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_clone, 0, 3),
        LOAD(args[0]),
        BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, NEW_NAMESPACES, 0, 1),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
        BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
    };
    struct sock_fprog program = {sizeof code / sizeof *code, code};
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program) < 0)
        die("seccomp");
}

/* What a default container leaves of root: cgroups read-only, fourteen capabilities, no way to new namespaces or mounts. */
int cage(char **command)
{
    mount_cgroups_read_only();
    drop_capabilities();
    filter_calls();
    execv(command[0], command);
    die(command[0]);
    return 1;
}

/* ---- sweep ---- */

static int runs_from(const char *program, const char *link)
{
    char target[PATH_MAX];
    ssize_t length = readlink(link, target, sizeof target - 1);
    if (length <= 0)
        return 0;
    target[length] = 0;
    size_t prefix = strlen(program);
    return strncmp(target, program, prefix) == 0 && (target[prefix] == '/' || target[prefix] == 0);
}

/* Also one whose first thread has ended: then only its other threads still have a program. */
static int is_from(const char *folder, const char *works_in, pid_t pid)
{
    char path[320];
    snprintf(path, sizeof path, "/proc/%d/cwd", pid);
    if (works_in && runs_from(works_in, path))
        return 1;
    snprintf(path, sizeof path, "/proc/%d/exe", pid);
    if (runs_from(folder, path))
        return 1;
    pid_t parent;
    char state;
    long threads;
    if (!read_stat(pid, &parent, &state, &threads) || state != 'Z' || threads < 2)
        return 0;
    snprintf(path, sizeof path, "/proc/%d/task", pid);
    DIR *tasks = opendir(path);
    struct dirent *entry;
    int found = 0;
    while (tasks && !found && (entry = readdir(tasks)))
        if (entry->d_name[0] != '.') {
            snprintf(path, sizeof path, "/proc/%d/task/%.20s/exe", pid, entry->d_name);
            found = runs_from(folder, path);
        }
    if (tasks)
        closedir(tasks);
    return found;
}

/* Kills every process whose program is this one or lies in this folder, or that works in the other folder, the sweeper left out, until several looks have found none. */
int sweep(const char *folder, const char *works_in)
{
    static pid_t pids[65536];
    for (int round = 0, idle = 0; idle < 3; round++) {
        size_t count = all_pids(pids, sizeof pids / sizeof *pids);
        int found = 0;
        for (size_t i = 0; i < count; i++) {
            if (pids[i] == getpid())
                continue;
            int pidfd = (int)syscall(SYS_PIDFD_OPEN, pids[i], 0);
            if (pidfd >= 0 && is_from(folder, works_in, pids[i])) {
                syscall(SYS_PIDFD_SEND_SIGNAL, pidfd, SIGKILL, NULL, 0);
                found = 1;
            }
            if (pidfd >= 0)
                close(pidfd);
        }
        idle = found ? 0 : idle + 1;
        if (round > 5000)
            return 1;
        sleep_ms(idle ? 5 : 1);
    }
    return 0;
}
