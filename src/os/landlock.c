/* Landlock by its three system calls; the C library has no functions for them and the
 * kernel's header of an old distribution does not know the later rights, so that the
 * numbers stand here (Documentation/userspace-api/landlock.rst of the kernel).
 *
 * What may be read is what a program of this kind reads: /proc, /sys, devices, libraries,
 * certificates, names of hosts, time zones. Not /home, not /root, not /etc/shadow, not
 * keys below /etc.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/sandbox.h"

#ifndef SYS_landlock_create_ruleset
enum {
    SYS_landlock_create_ruleset = 444,
    SYS_landlock_add_rule = 445,
    SYS_landlock_restrict_self = 446,
};
#endif

/* LANDLOCK_CREATE_RULESET_VERSION and LANDLOCK_RULE_PATH_BENEATH of the kernel. */
enum { VERSION_FLAG = 1, PATH_BENEATH = 1 };

/* Rights over files, by bit; the version of Landlock that brought the last ones. */
enum {
    EXECUTE = 1 << 0,
    WRITE_FILE = 1 << 1,
    READ_FILE = 1 << 2,
    READ_DIR = 1 << 3,
    REMOVE_AND_MAKE = 0x1ff0, /* REMOVE_DIR, REMOVE_FILE, MAKE_CHAR ... MAKE_SYM */
    REFER = 1 << 13,          /* 2 */
    TRUNCATE = 1 << 14,       /* 3 */
    SCOPE_SIGNAL = 1 << 1,    /* 6, of its own field */
};

/* The kernel's struct landlock_ruleset_attr. It grew by a field with versions 4 and 6. */
struct ruleset {
    uint64_t files, network, scoped;
};

/* The kernel's struct landlock_path_beneath_attr, which is packed. */
struct beneath {
    uint64_t allowed;
    int32_t parent;
} __attribute__((packed));

/* Paths that may be read, those of Nix and Guix among them. One that a machine lacks is
 * passed over. */
static const char *const readable[] = {
    "/proc",
    "/sys",
    "/dev/null",
    "/dev/urandom",
    "/usr",
    "/lib",
    "/lib64",
    "/opt",
    "/nix/store",
    "/gnu/store",
    "/run",
    "/var/run",
    "/etc/ssl",
    "/etc/pki",
    "/etc/ca-certificates",
    "/var/lib/ca-certificates",
    "/etc/crypto-policies",
    "/etc/gnutls",
    "/etc/resolv.conf",
    "/etc/hosts",
    "/etc/host.conf",
    "/etc/nsswitch.conf",
    "/etc/gai.conf",
    "/etc/services",
    "/etc/protocols",
    "/etc/localtime",
    "/etc/timezone",
    "/etc/ld.so.cache",
    "/etc/ld.so.preload",
    "/etc/ld.so.conf",
    "/etc/ld.so.conf.d",
    "/etc/passwd",
    "/etc/group",
    "/etc/machine-id",
    "/etc/os-release",
    "/etc/mtab",
    "/etc/nvidia",
    "/etc/fonts",
};

/* Variables whose paths may be read as well: libraries look there for certificates and
 * zones. */
static const char *const variable[] = {"SSL_CERT_FILE", "SSL_CERT_DIR", "CURL_CA_BUNDLE",
                                       "TZDIR"};

/* Devices that drivers of GPUs open for writing to ask them, and those every program may
 * use. */
static const char *const device[] = {
    "/dev/nvidiactl",
    "/dev/nvidia0",
    "/dev/nvidia1",
    "/dev/nvidia2",
    "/dev/nvidia3",
    "/dev/nvidia4",
    "/dev/nvidia5",
    "/dev/nvidia6",
    "/dev/nvidia7",
    "/dev/nvidia-uvm",
    "/dev/nvidia-uvm-tools",
    "/dev/nvidia-modeset",
    "/dev/nvidia-caps",
    "/dev/dri",
    "/dev/null",
    "/dev/tty",
};

/* Returns 0 where the kernel has no Landlock, or has it switched off. */
int os_landlock_version(void)
{
    long version = syscall(SYS_landlock_create_ruleset, NULL, 0, VERSION_FLAG);

    return version < 0 ? 0 : (int)version;
}

/* Allows what lies at or below `fd`. The kernel refuses a rule that gives a plain file
 * the rights of a folder, so those are taken out. */
static bool allow_fd(int rules, int fd, uint64_t rights)
{
    struct beneath beneath = {rights, fd};
    struct stat info;

    if (fstat(fd, &info) != 0)
        return false;
    if (!S_ISDIR(info.st_mode))
        beneath.allowed &= READ_FILE | WRITE_FILE | EXECUTE | TRUNCATE;
    return syscall(SYS_landlock_add_rule, rules, PATH_BENEATH, &beneath, 0) == 0;
}

/* Allows a path. One that is not there needs no rule: it stays forbidden when it comes.
 */
static void allow(int rules, const char *path, uint64_t rights)
{
    int fd = path == NULL || *path == '\0' ? -1 : open(path, O_PATH | O_CLOEXEC);

    if (fd < 0)
        return;
    allow_fd(rules, fd, rights);
    close(fd);
}

/* Allows all that may be read. The one folder that may be written to is allowed by its
 * descriptor (os_landlock_enter), whatever its path leads to by now. */
static void allow_all(int rules, const struct os_sandbox *sandbox)
{
    const uint64_t reading = READ_FILE | READ_DIR;

    for (size_t i = 0; i < sizeof readable / sizeof readable[0]; i++)
        allow(rules, readable[i], reading);
    for (size_t i = 0; i < sizeof variable / sizeof variable[0]; i++)
        allow(rules, getenv(variable[i]), reading);
    for (size_t i = 0; i < sandbox->n_read; i++)
        allow(rules, sandbox->read[i], reading);
    for (size_t i = 0; i < sizeof device / sizeof device[0]; i++)
        allow(rules, device[i], reading | WRITE_FILE);
}

/* Names only the rights that this kernel's version knows: a call with others, or a larger
 * struct, fails as a whole. */
bool os_landlock_enter(const struct os_sandbox *sandbox)
{
    int version = os_landlock_version(), rules, code;
    struct ruleset set = {.files = EXECUTE | WRITE_FILE | READ_FILE | READ_DIR |
                                   REMOVE_AND_MAKE};
    bool good;

    if (version >= 2)
        set.files |= REFER;
    if (version >= 3)
        set.files |= TRUNCATE;
    if (version >= 6)
        set.scoped = SCOPE_SIGNAL;
    rules = (int)syscall(SYS_landlock_create_ruleset, &set,
                         version >= 6   ? sizeof set
                         : version >= 4 ? 2 * sizeof(uint64_t)
                                        : sizeof(uint64_t),
                         0);
    if (rules < 0)
        return false;
    allow_all(rules, sandbox);
    good = (sandbox->data_dir < 0 ||
            allow_fd(rules, sandbox->data_dir, set.files & ~(uint64_t)EXECUTE)) &&
           syscall(SYS_landlock_restrict_self, rules, 0) == 0;
    code = errno;
    close(rules);
    errno = code;
    return good;
}
