using System.Globalization;
using JobHost.Worker.Processes;

namespace JobHost.Execution.Limits;

/// <summary>A cgroup as a place of limits, with the names that either version has for them.</summary>
/// <remarks>
/// <see href="https://docs.kernel.org/admin-guide/cgroup-v2.html">Version 2</see>,
/// <see href="https://docs.kernel.org/admin-guide/cgroup-v1/index.html">version 1</see>.
/// </remarks>
internal sealed class LimitGroup(Cgroup group, bool isUnified)
{
    internal const string Memory = "memory";
    internal const string Cpu = "cpu";
    internal const string Pids = "pids";

    /// <summary>The controller of version 1 that counts processor time; in version 2 every group does.</summary>
    internal const string CpuTimeCounter = "cpuacct";

    private const int PeriodMicroseconds = 100_000;

    /// <exception cref="IOException">The kernel refuses.</exception>
    internal void SetMemory(long bytes)
    {
        if (!isUnified)
        {
            Write("memory.limit_in_bytes", bytes);
            // Memory and swap together; absent where the kernel does not count swap.
            TryWrite("memory.memsw.limit_in_bytes", bytes);
            return;
        }
        Write("memory.max", bytes);
        TryWrite("memory.swap.max", 0);
        TryWrite("memory.oom.group", 1);
    }

    /// <inheritdoc cref="SetMemory"/>
    internal void SetProcessors(double processors)
    {
        var quota = (long)(processors * PeriodMicroseconds);
        if (isUnified)
        {
            group.Write("cpu.max", string.Create(CultureInfo.InvariantCulture, $"{quota} {PeriodMicroseconds}"));
            return;
        }
        Write("cpu.cfs_period_us", PeriodMicroseconds);
        Write("cpu.cfs_quota_us", quota);
    }

    /// <inheritdoc cref="SetMemory"/>
    internal void SetTasks(int count) => Write("pids.max", count);

    /// <summary>Whether the kernel has killed somebody for lack of memory.</summary>
    internal bool RanOutOfMemory => Counter(isUnified ? "memory.events" : "memory.oom_control", "oom_kill") > 0;

    /// <summary>Whether the kernel has refused somebody a process or thread.</summary>
    internal bool RanOutOfTasks => Counter("pids.events", "max") > 0;

    /// <summary>What everybody in it has used, the dead included; null where it cannot be read.</summary>
    internal TimeSpan? CpuTime =>
        isUnified
            ? Counter("cpu.stat", "usage_usec") is { } microseconds
                ? TimeSpan.FromMicroseconds(microseconds)
                : null
            : long.TryParse(group.Read("cpuacct.usage"), CultureInfo.InvariantCulture, out var nanoseconds)
                ? TimeSpan.FromTicks(nanoseconds / TimeSpan.NanosecondsPerTick)
                : null;

    private void Write(string file, long value) => group.Write(file, value.ToString(CultureInfo.InvariantCulture));

    private void TryWrite(string file, long value)
    {
        try
        {
            Write(file, value);
        }
        catch (IOException)
        {
            // It is an improvement only.
        }
    }

    private long? Counter(string file, string name)
    {
        foreach (var line in (group.Read(file) ?? "").Split('\n'))
        {
            if (
                line.Split(' ') is [var key, var value]
                && key == name
                && long.TryParse(value, CultureInfo.InvariantCulture, out var count)
            )
            {
                return count;
            }
        }
        return null;
    }
}
