using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using System.Runtime.InteropServices;
using System.Runtime.Versioning;
using JobHost.Worker.Bodies;
using JobHost.Worker.Keeping;
using JobHost.Worker.Native;
using JobHost.Worker.Processes;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;
using JobHost.Worker.Stacks;
using Microsoft.Extensions.DependencyInjection;
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
    private readonly Action<JobsBuilder> configureJobs;

    // How long the host may take to say that it has heard the end.
    private static readonly TimeSpan LeaveGrace = TimeSpan.FromSeconds(2);

    // A tree that grows faster than it is shot must not keep this process alive; the keeper goes on.
    private static readonly TimeSpan SweepBound = TimeSpan.FromSeconds(2);

    // For a call to fork that had begun when it was forbidden.
    private static readonly TimeSpan ForkSettling = TimeSpan.FromMilliseconds(5);

    private readonly TimeProvider time = TimeProvider.System;
    private readonly ManualResetEventSlim leave = new();
    private readonly AdoptedZombies zombies = new();
    private readonly CommandInput input;
    private volatile RunContext? context;
    private volatile ChannelMail? mail;
    private volatile Action<int>? forwardSignal;

    private WorkerProcess(WorkerChannel channel, Action<JobsBuilder> configureJobs)
    {
        this.channel = channel;
        this.configureJobs = configureJobs;
        input = new(channel.Send);
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
        return await worker.RunAsync();
    }

    /// <inheritdoc/>
    public void Dispose() => leave.Dispose();

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

    private async Task<int> RunAsync()
    {
        // SIGTERM reaches the whole group. For a worker it means "stop, please", never "die without a word".
        using var terminate = PosixSignalRegistration.Create(
            PosixSignal.SIGTERM,
            signal =>
            {
                signal.Cancel = true;
                if (context is { Stop: null } run)
                {
                    run.RequestStop(new(StopCause.Request, "SIGTERM", null));
                }
            }
        );
        if (channel.Receive() is not AssignMessage assignment)
        {
            return 0;
        }
        if (assignment.OpenFiles is { } limit && OperatingSystem.IsLinux())
        {
            ResourceLimits.SetOpenFiles(limit);
        }
        context = new RunContext(
            assignment.RunId,
            assignment.Job,
            assignment.Attempt,
            assignment.Fence,
            _ => assignment.WorkingDirectory,
            mail = new(channel.Send),
            time
        )
        {
            // A command finds its trace in its environment.
            Activity = assignment.Command is null
                ? JobActivity.Begin(JobActivity.CodeSpan, assignment.TraceParent, assignment.TraceState)
                : null,
        };
        new Thread(Listen) { Name = "jobhost-lifeline", IsBackground = true }.Start();
        if (OperatingSystem.IsLinux())
        {
            zombies.Begin();
        }
        using var reporter = new WorkerReporter(channel, context);
        var ended = assignment.Command is { } command
            ? RunCommand(command, assignment.TakesInput)
            : await RunCodeAsync(assignment);
        reporter.Finish(ended);
        // The host looks whom the job leaves behind while there is still somebody whom they are below.
        leave.Wait(LeaveGrace);
        EndTree();
        // Not a return from the main method: threads that the job left behind would keep the process alive.
        Environment.Exit(0);
        return 0;
    }

    /// <summary>The lifeline: hears what the host says, until it is gone.</summary>
    private void Listen()
    {
        try
        {
            while (channel.Receive() is { } message)
            {
                switch (message)
                {
                    case StopMessage stop:
                        Stop(new(stop.Cause, stop.Reason, stop.Deadline));
                        break;
                    case DeliverMessage deliver:
                        context?.Mail.Deliver(deliver.Message);
                        break;
                    case SaidMessage said:
                        mail?.Hear(said);
                        break;
                    case InputMessage given:
                        input.Add(given);
                        break;
                    case LeaveMessage:
                        leave.Set();
                        break;
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

    private void Stop(StopNotice notice)
    {
        context?.RequestStop(notice);
        forwardSignal?.Invoke(Signals.Terminate);
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

    private async Task<EndedMessage> RunCodeAsync(AssignMessage assignment)
    {
        var run = context!;
        BodyOutcome outcome;
        Activity.Current = run.Activity;
        try
        {
            var services = new ServiceCollection();
            services.AddLogging();
            services.AddSingleton(time);
            services.AddRunScope();
            var builder = new JobsBuilder(services);
            configureJobs(builder);
            var registration =
                builder.Registrations.FirstOrDefault(job => job.Name == assignment.Job)
                ?? throw new JobConfigurationException($"The worker does not know the job '{assignment.Job}'.");
            await using var provider = services.BuildServiceProvider();
            await using var scope = provider.CreateAsyncScope();
            var body = JobBody.Create(registration, provider.GetRequiredService<IServiceProviderIsService>());
            var parameters = ParametersFile.Read(
                body,
                assignment.Parameters,
                assignment.ParametersFile,
                out var errors
            );
            if (errors.Count > 0)
            {
                throw new InvalidDataException(
                    $"The worker read the parameters differently from the host: {string.Join(", ", errors.Keys)}."
                );
            }
            outcome = BodyOutcome.Returned(
                await CallAsync(body, scope.ServiceProvider, parameters, run),
                run.ResultFile
            );
        }
        catch (Exception exception)
        {
            // Whatever job code throws is an outcome, not a fault of the worker.
            outcome = BodyOutcome.Threw(exception, run);
        }
        run.Activity?.Dispose();
        return new()
        {
            Ending = outcome.Ending,
            Result = outcome.Result,
            ResultFileBytes = outcome.ResultFileBytes,
            Error = outcome.Error,
        };
    }

    private static async Task<object?> CallAsync(
        JobBody body,
        IServiceProvider services,
        object? parameters,
        RunContext run
    )
    {
        switch (body.Form)
        {
            case JobForm.Blocking:
                return await Task.Factory.StartNew(
                    body.Prepare(services, parameters, run),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                );
            case JobForm.Steps:
                await foreach (var step in body.Steps(services, parameters, run).WithCancellation(run.StopToken))
                {
                    run.StopToken.ThrowIfCancellationRequested();
                    if (step.IsLast)
                    {
                        return step.Result;
                    }
                    await Task.Delay(step.Pause, TimeProvider.System, run.StopToken);
                }
                return null;
            default:
                return await Task.Run(() => body.RunAsync(services, parameters, run));
        }
    }

    private EndedMessage RunCommand(CommandLine command, bool takesInput)
    {
        try
        {
            var exit = OperatingSystem.IsLinux() ? RunOnLinux(command, takesInput) : RunElsewhere(command, takesInput);
            return exit.ExitCode == 0
                ? new() { Ending = BodyEnding.Returned, ExitCode = 0 }
                : new()
                {
                    Ending = BodyEnding.Failed,
                    ExitCode = exit.ExitCode,
                    Signal = exit.Signal,
                    Error = new("exit", $"The command {exit}.", null),
                };
        }
        catch (Exception problem)
            when (problem is IOException or InvalidOperationException or System.ComponentModel.Win32Exception)
        {
            return new() { Ending = BodyEnding.Failed, Error = new("start", problem.Message, null) };
        }
    }

    [SupportedOSPlatform("linux")]
    private ProcessExit RunOnLinux(CommandLine command, bool takesInput)
    {
        // A signal to the tree is meant for the command; its worker only waits for it, and must not end of it first.
        var withstood = Signals
            .Withstandable.Select(signal =>
                PosixSignalRegistration.Create((PosixSignal)signal, caught => caught.Cancel = true)
            )
            .ToList();
        var stdin = takesInput ? CommandInput.Open() : default;
        int pid;
        using (stdin.Read)
        {
            pid = Spawn.Start(
                new()
                {
                    File = command.File,
                    Arguments = command.Arguments,
                    Environment = command.Environment,
                    WorkingDirectory = command.WorkingDirectory,
                    Stdin = stdin.Read,
                }
            );
        }
        if (takesInput)
        {
            input.Begin(stdin.Write);
        }
        // Ours and not reaped, so the number is still the command's. Never disposed: a stop may come at the last moment.
        var pidfd = Pidfd.Open(pid) ?? throw new IOException($"Process {pid} cannot be watched.");
        zombies.Own = pid;
        forwardSignal = signal => Pidfd.Signal(pidfd, signal);
        if (context!.StopToken.IsCancellationRequested)
        {
            Pidfd.Signal(pidfd, Signals.Terminate);
        }
        var exit = Children.WaitAndReap(pidfd) ?? default;
        withstood.ForEach(registration => registration.Dispose());
        return exit;
    }

    private ProcessExit RunElsewhere(CommandLine command, bool takesInput)
    {
        var start = new System.Diagnostics.ProcessStartInfo(command.File, command.Arguments)
        {
            UseShellExecute = false,
            WorkingDirectory = command.WorkingDirectory,
            RedirectStandardInput = takesInput,
        };
        start.Environment.Clear();
        foreach (var (name, value) in command.Environment)
        {
            start.Environment[name] = value;
        }
        using var process = System.Diagnostics.Process.Start(start)!;
        if (takesInput)
        {
            input.Begin(process.StandardInput.BaseStream);
        }
        process.WaitForExit();
        return new(process.ExitCode, null);
    }
}
