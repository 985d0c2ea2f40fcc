using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using JobHost.Worker.Protocol;
using JobHost.Worker.Stacks;
using Microsoft.Win32.SafeHandles;

namespace JobHost.Worker.Main;

/// <summary>
/// The verb <c>work</c>: be a worker. It takes one assignment from the host, runs it, says how it ended and exits. Its end of
/// the channel is its lifeline: when the host is gone the channel closes, and the worker ends itself and all that it started.
/// </summary>
public sealed class WorkerProcess : IDisposable
{
    /// <summary>The first argument of a process that is to be a worker.</summary>
    public const string Verb = "work";

    /// <summary>Added to the arguments of a worker that is the first process of its own namespace.</summary>
    internal const string OwnNamespace = "own-namespace";

    /// <summary>Added to the arguments of a worker that is not.</summary>
    internal const string SharedNamespace = "shared-namespace";

    private readonly WorkerChannel channel;
    private readonly WorkerJobs jobs;

    // How long the host may take to say that it has heard the end.
    private static readonly TimeSpan LeaveGrace = TimeSpan.FromSeconds(2);

    // A tree that grows faster than it is shot must not keep this process alive; the keeper goes on.
    private static readonly TimeSpan SweepBound = TimeSpan.FromSeconds(2);

    // For a call to fork that had begun when it was forbidden.
    private static readonly TimeSpan ForkSettling = TimeSpan.FromMilliseconds(5);

    private readonly ManualResetEventSlim begun = new();
    private readonly ManualResetEventSlim leave = new();
    private readonly AdoptedZombies zombies = new();
    private volatile AssignedRun? run;

    private WorkerProcess(WorkerChannel channel, Action<JobsBuilder> configureJobs)
    {
        this.channel = channel;
        jobs = new(configureJobs);
    }

    /// <summary>
    /// Runs the worker where the arguments ask for it. Call it first in the main method of an application that embeds
    /// JobHost, with the same registration as <c>AddJobHost</c>.
    /// </summary>
    /// <returns>The exit code, or null where the process is not meant to be a worker.</returns>
    public static async Task<int?> TryRunAsync(string[] args, Action<JobsBuilder> configureJobs)
    {
        ArgumentNullException.ThrowIfNull(args);
        ArgumentNullException.ThrowIfNull(configureJobs);
        if (args is [KeeperProcess.Verb, var line, _])
        {
            KeeperProcess.Run(line);
            return 0;
        }
        if (OperatingSystem.IsLinux() && (DrillProcess.TryRun(args) || StackProcess.TryRun(args)))
        {
            return 0;
        }
        if (args is not [Verb or LaneProcess.Verb, var input, var output, .. var more])
        {
            return null;
        }
        if (OperatingSystem.IsLinux())
        {
            JoinOwn(more);
            // What the job starts must not hold the lifeline.
            Pipes.CloseOnExec(int.Parse(input, CultureInfo.InvariantCulture));
            Pipes.CloseOnExec(int.Parse(output, CultureInfo.InvariantCulture));
        }
        using var toHost = new WorkerChannel(Open(input, FileAccess.Read), Open(output, FileAccess.Write));
        if (args[0] == LaneProcess.Verb)
        {
            using var lane = new LaneProcess(toHost, configureJobs);
            lane.Run();
        }
        using var worker = new WorkerProcess(toHost, configureJobs);
        // Where its assignment is there already, its run has waited long enough.
        return await worker.RunAsync(
            isEarly: OperatingSystem.IsLinux() && !Pipes.HasInput(int.Parse(input, CultureInfo.InvariantCulture))
        );
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        begun.Dispose();
        leave.Dispose();
        jobs.Dispose();
    }

    [SuppressMessage("Reliability", "CA2000", Justification = "The stream owns the handle, the channel the stream.")]
    private static FileStream Open(string number, FileAccess access) =>
        new(
            new SafeFileHandle(nint.Parse(number, CultureInfo.InvariantCulture), ownsHandle: false),
            access,
            bufferSize: 0
        );

    /// <summary>Before there is anything of a job: whoever is started from here on is where this process is.</summary>
    internal static void JoinOwn(string[] places)
    {
        // Nobody of this run can leave it for another parent while this process lives.
        Children.AdoptOrphans();
        if (places is not [var space, .. var cgroups])
        {
            return;
        }
        if (space == OwnNamespace)
        {
            Namespaces.MountOwnProc();
        }
        foreach (var cgroup in cgroups)
        {
            // Zero is whoever writes it. Moved by itself, it cannot be mistaken for another that took over its number.
            new Cgroup(cgroup).Add(0);
        }
    }

    /// <param name="isEarly">Whether it was started ahead, for a run that is yet to come.</param>
    private async Task<int> RunAsync(bool isEarly)
    {
        // SIGTERM reaches the whole group. For a worker it means "stop, please", never "die without a word".
        using var terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            signal =>
            {
                signal.Cancel = true;
                run?.StopIfNobodyHas(new(StopCause.Request, "SIGTERM", null));
            }
        );
        // All threads are there before there is anything to do, as each takes longer to start than to do it; and the lifeline
        // before any code of the application's, which may never return.
        using var reporter = new WorkerReporter(channel);
        new Thread(Listen) { Name = "jobhost-lifeline", IsBackground = true }.Start(reporter);
        if (OperatingSystem.IsLinux())
        {
            zombies.Begin(begun);
        }
        if (isEarly && OperatingSystem.IsLinux())
        {
            // Marked as what it is already: whether it could be marked as a run's must be known before it is given one.
            Mark(Environment.GetEnvironmentVariable(RunProcesses.RunVariable) ?? "");
            // On this thread, which is none of the pool's: it waits for the assignment.
            new WarmUp(jobs, () => begun.IsSet)
                .RunAsync()
                .GetAwaiter()
                .GetResult();
        }
        try
        {
            channel.Send(new ReadyMessage());
        }
        catch (IOException)
        {
            EndWithHost();
        }
        begun.Wait();
        Become(run!.Assignment);
        await run.RunAsync();
        // The host looks whom the job leaves behind while there is still somebody whom they are below.
        leave.Wait(LeaveGrace);
        EndTree();
        if (run.IsCommand && OperatingSystem.IsLinux())
        {
            // Nothing in this process has anything to do at its end.
            Libc._exit(0);
        }
        // Not a return from the main method: threads that the job left behind would keep the process alive.
        Environment.Exit(0);
        return 0;
    }

    /// <summary>
    /// Until here it was nobody's. From here on it, and all that it starts, is the run's, and can be told to be by everybody.
    /// </summary>
    private static void Become(AssignMessage assignment)
    {
        if (
            OperatingSystem.IsLinux()
            && assignment.RunId.ToString() is var id
            && id != Environment.GetEnvironmentVariable(RunProcesses.RunVariable)
        )
        {
            Mark(id);
        }
        foreach (var (name, value) in assignment.Variables)
        {
            OwnEnvironment.Set(name, value);
        }
        Directory.SetCurrentDirectory(assignment.WorkingDirectory);
        if (assignment.OpenFiles is { } limit && OperatingSystem.IsLinux())
        {
            ResourceLimits.SetOpenFiles(limit);
        }
    }

    private static void Mark(string run)
    {
        if (!OwnEnvironment.TryReplace(RunProcesses.RunVariable, run))
        {
            // Whose it is could not be seen after a crash.
            EndWithHost();
        }
    }

    /// <summary>The lifeline: hears what the host says, until it is gone.</summary>
    private void Listen(object? reporter)
    {
        try
        {
            if (channel.Receive() is AssignMessage assignment)
            {
                run = new(assignment, channel, (WorkerReporter)reporter!, jobs, zombies);
                begun.Set();
            }
            while (run is not null && channel.Receive() is { } message)
            {
                if (message is LeaveMessage)
                {
                    leave.Set();
                }
                else
                {
                    run.Hear(message);
                }
            }
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException)
        {
            // Whatever is wrong with the channel, nobody can stop this run through it any more: it ends now.
        }
        EndWithHost();
    }

    /// <summary>The host is gone, or nobody can be sure that it is not.</summary>
    [DoesNotReturn]
    internal static void EndWithHost()
    {
        EndTree(ForkSettling);
        if (OperatingSystem.IsLinux())
        {
            // At once: what a job has registered for the end of the process could hold it up.
            Libc._exit(1);
        }
        Environment.Exit(1);
    }

    /// <summary>Ends whoever is left of the run. Nobody can join or leave meanwhile: they are below this process or its children.</summary>
    /// <param name="settling">For how long nobody may come any more; where the keeper may be dead, too.</param>
    private static void EndTree(TimeSpan settling = default)
    {
        if (!OperatingSystem.IsLinux())
        {
            return;
        }
        // Other threads of this process may be about to start somebody: the command, or whatever the job's code wants.
        ForkBan.TryImpose();
        Brood.KillAll(SweepBound, settling);
    }
}
