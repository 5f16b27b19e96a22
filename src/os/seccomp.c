/* What a program that watches and serves a page has no use for, by libseccomp: an attempt
 * fails with EPERM. A list of what is forbidden and not of what is allowed, because
 * libraries that are loaded (a GPU's, TLS) may need anything that is harmless; the
 * service file has the other kind besides.
 */
#include <errno.h>
#include <seccomp.h>
#include <sys/socket.h>

#include "os/sandbox.h"

static const int forbidden[] = {
    /* starting programs, and looking into or steering other processes */
    SCMP_SYS(execve),
    SCMP_SYS(execveat),
    SCMP_SYS(ptrace),
    SCMP_SYS(process_vm_readv),
    SCMP_SYS(process_vm_writev),
    SCMP_SYS(pidfd_getfd),
    SCMP_SYS(kcmp),
    SCMP_SYS(process_madvise),
    /* another view of the file system, or rights by another way */
    SCMP_SYS(mount),
    SCMP_SYS(umount2),
    SCMP_SYS(pivot_root),
    SCMP_SYS(chroot),
    SCMP_SYS(open_tree),
    SCMP_SYS(move_mount),
    SCMP_SYS(fsopen),
    SCMP_SYS(fsmount),
    SCMP_SYS(fsconfig),
    SCMP_SYS(fspick),
    SCMP_SYS(mount_setattr),
    SCMP_SYS(unshare),
    SCMP_SYS(setns),
    SCMP_SYS(open_by_handle_at),
    SCMP_SYS(name_to_handle_at),
    SCMP_SYS(quotactl),
    SCMP_SYS(swapon),
    SCMP_SYS(swapoff),
    SCMP_SYS(mknod),
    SCMP_SYS(mknodat),
    SCMP_SYS(setuid),
    SCMP_SYS(setgid),
    SCMP_SYS(setreuid),
    SCMP_SYS(setregid),
    SCMP_SYS(setresuid),
    SCMP_SYS(setresgid),
    SCMP_SYS(setgroups),
    SCMP_SYS(setfsuid),
    SCMP_SYS(setfsgid),
    /* parts of the kernel that have been ways in */
    SCMP_SYS(bpf),
    SCMP_SYS(perf_event_open),
    SCMP_SYS(userfaultfd),
    SCMP_SYS(io_uring_setup),
    SCMP_SYS(io_uring_enter),
    SCMP_SYS(io_uring_register),
    SCMP_SYS(keyctl),
    SCMP_SYS(add_key),
    SCMP_SYS(request_key),
    SCMP_SYS(personality),
    SCMP_SYS(modify_ldt),
    SCMP_SYS(vmsplice),
    SCMP_SYS(fanotify_init),
    SCMP_SYS(lookup_dcookie),
    /* the machine itself */
    SCMP_SYS(init_module),
    SCMP_SYS(finit_module),
    SCMP_SYS(delete_module),
    SCMP_SYS(kexec_load),
    SCMP_SYS(kexec_file_load),
    SCMP_SYS(reboot),
    SCMP_SYS(iopl),
    SCMP_SYS(ioperm),
    SCMP_SYS(syslog),
    SCMP_SYS(acct),
    SCMP_SYS(settimeofday),
    SCMP_SYS(clock_settime), /* adjtimex tells how right the clock is, and sets nothing
                                without a capability */
    SCMP_SYS(sethostname),
    SCMP_SYS(setdomainname),
    SCMP_SYS(vhangup),
};

/* Refuses sockets of a family by the error that programs expect of one that is not built
 * in. */
static int refuse_family(scmp_filter_ctx filter, enum scmp_compare how, int family)
{
    const struct scmp_arg_cmp which = {0, how, (scmp_datum_t)family, 0};

    return seccomp_rule_add_array(filter, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket),
                                  1, &which);
}

/* Refuses all sockets but those of the families that are used; the others reach odd parts
 * of the kernel. A filter has no "none of these", so the gaps between the families, which
 * are sorted, are refused one by one. */
static int refuse_other_families(scmp_filter_ctx filter)
{
    static const int family[] = {AF_UNIX, AF_INET, AF_INET6, AF_NETLINK};
    int last = -1, code = 0;

    for (size_t i = 0; i < sizeof family / sizeof family[0] && code == 0; i++) {
        for (int k = last + 1; k < family[i] && code == 0; k++)
            code = refuse_family(filter, SCMP_CMP_EQ, k);
        last = family[i];
    }
    return code != 0 ? code : refuse_family(filter, SCMP_CMP_GT, last);
}

/* Holds for this thread and those that it starts, so it must be called before there are
 * others. Returns NULL, or why there is no filter. */
const char *os_seccomp_enter(void)
{
    scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
    int code = filter == NULL ? -ENOMEM : 0;

    for (size_t i = 0; i < sizeof forbidden / sizeof forbidden[0] && code == 0; i++)
        code = seccomp_rule_add(filter, SCMP_ACT_ERRNO(EPERM), forbidden[i], 0);
    if (code == 0)
        code = refuse_other_families(filter);
    if (code == 0)
        code = seccomp_load(filter);
    seccomp_release(filter);
    return code == 0 ? NULL : "the kernel does not take the filter";
}
