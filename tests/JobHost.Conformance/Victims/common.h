/* What every part of the program shares. See victim.c. */
#ifndef COMMON_H
#define COMMON_H

#include <stddef.h>
#include <sys/types.h>

/* The same numbers on every architecture, and older C libraries have no names for them. */
#define SYS_PIDFD_SEND_SIGNAL 424
#define SYS_PIDFD_OPEN 434
#define SYS_PIDFD_GETFD 438

/* Options are one argument of the form "leave,rate=200,count=2000". */
int has_option(const char *options, const char *name);
long number_option(const char *options, const char *name, long fallback);
const char *text_option(const char *options, const char *name, char *buffer, size_t size);

/* The numbers of all processes that this one can see; returns how many, at most `most`. */
size_t all_pids(pid_t *pids, size_t most);
/* The parent, the state letter and the number of threads as /proc shows them; 0 if it is gone. */
int read_stat(pid_t pid, pid_t *parent, char *state, long *threads);
/* Whether `ancestor` is above `pid`; `depth` levels are followed. */
int descends_from(pid_t pid, pid_t ancestor, int depth);
void sleep_ms(long ms);
void die(const char *what);

/* nest.c: not victims, but what the suite needs around a server. */
int nest(char **command);
int run_as(int uid, int gid, char **command);
int cage(char **command);
int sweep(const char *folder, const char *works_in);

#endif
