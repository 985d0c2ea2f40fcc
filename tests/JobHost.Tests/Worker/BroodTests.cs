using System.Runtime.Versioning;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;

namespace JobHost.Tests.Worker;

/// <summary>
/// Whose an orphan is. Alone, as a brood takes every child of the process for its own that it does not know.
/// </summary>
[Collection(nameof(BroodTests))]
[CollectionDefinition(nameof(BroodTests), DisableParallelization = true)]
[SupportedOSPlatform("linux")]
public sealed class BroodTests
{
    private static readonly TimeSpan Bound = TimeSpan.FromSeconds(20);

    public BroodTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "Linux has /proc.");

    [Fact(Timeout = 60_000)]
    public void An_orphan_that_is_seen_before_his_workers_end_is_told_holds_up_that_workers_proof()
    {
        Children.AdoptOrphans();
        var others = Children.List()!;
        try
        {
            Meet(others);
        }
        finally
        {
            while (Children.List()!.Except(others).ToList() is { Count: > 0 } left)
            {
                left.ForEach(Children.KillAndReap);
            }
        }
    }

    private static void Meet(IReadOnlyList<int> others)
    {
        var brood = new Brood();
        foreach (var pid in others)
        {
            brood.AddOther(pid);
        }
        var told = Start(brood, "sleep 600 & exec sleep 600");
        var untold = Start(brood, "(sleep 600 & sleep 600 & wait) & exec sleep 600");
        Kill(told, below: 1);
        Kill(untold, below: 3);
        brood.Ended(told);

        var proven = brood.Look().ToList();

        brood.Ended(untold);
        Assert.DoesNotContain(untold, proven);
        // He was killed at the first look, so he counts although nobody knew then whose he was.
        Assert.Equal(1, untold.LeftoverCount);
        var since = DateTime.UtcNow;
        while (brood.IsSweeping && DateTime.UtcNow - since < Bound)
        {
            proven.AddRange(brood.Look());
        }
        Assert.Equal([told, untold], proven.OrderBy(ward => ward.Id));
        Assert.Equal(1, told.LeftoverCount);
        Assert.InRange(untold.LeftoverCount, 1, 3);
    }

    private static Ward Start(Brood brood, string script)
    {
        var pid = Spawn.Start(
            new()
            {
                File = "/bin/sh",
                Arguments = ["-c", script],
                Environment = new Dictionary<string, string> { ["PATH"] = "/usr/bin:/bin" },
                NewSession = true,
            }
        );
        var ward = new Ward(pid, pid);
        brood.Add(ward);
        return ward;
    }

    /// <summary>Kills a worker that has so many below it, and waits until it is dead.</summary>
    private static void Kill(Ward worker, int below)
    {
        Until(() => ProcFs.Tree(worker.Pid).Count(entry => entry.Command is "sleep" or "sh") == below + 1);
        Until(() => ProcFs.Read(worker.Pid)?.Command == "sleep");
        using var pidfd = Pidfd.Open(worker.Pid)!;
        Pidfd.Signal(pidfd, Signals.Kill);
        Until(() => Children.IsDead(worker.Pid));
    }

    private static void Until(Func<bool> holds)
    {
        var since = DateTime.UtcNow;
        while (!holds())
        {
            Assert.True(DateTime.UtcNow - since < Bound, "It did not come about in time.");
            Thread.Sleep(1);
        }
    }
}
