using System.Diagnostics.CodeAnalysis;
using JobHost.Worker.Native;

namespace JobHost.Worker.Processes;

/// <summary>
/// Reaps the dead that a worker has adopted, so that a job of many days whose programs leave children behind does not use up
/// the numbers of the system. Only those that nobody has waited for in a while: a child that the job's code started itself is
/// waited for by that code, and at once.
/// </summary>
[SuppressMessage("Design", "CA1001", Justification = "There is one, for as long as the process lives.")]
internal sealed class AdoptedZombies
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly ManualResetEventSlim never = new();
    private HashSet<int> dead = [];
    private volatile int own;

    /// <summary>A child that the worker itself waits for.</summary>
    internal int Own
    {
        set => own = value;
    }

    /// <summary>Begins to reap, on a thread of its own, for as long as the process lives.</summary>
    internal void Begin() =>
        new Thread(() =>
        {
            while (!never.Wait(Interval))
            {
                Look();
            }
        })
        {
            Name = "jobhost-reaper",
            IsBackground = true,
        }.Start();

    private void Look()
    {
        if (!Children.HasDead())
        {
            dead.Clear();
            return;
        }
        var found = Children.List().Where(pid => pid != own && ProcFs.Read(pid) is { IsDead: true }).ToHashSet();
        foreach (var pid in found.Where(dead.Contains))
        {
            Children.Reap(pid);
        }
        dead = found;
    }
}
