using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.CodeAnalysis;
using System.Runtime.InteropServices;
using JobHost.Worker.InProcess;
using JobHost.Worker.Processes;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.Main;

/// <summary>
/// The verb <c>lane</c>: be a lane. It takes one assignment after the other, runs them side by side as the host would, climbs
/// the rungs that the host names, and says how each run ended. Its end of the channel is its lifeline, as a worker's is.
/// </summary>
internal sealed class LaneProcess : IDisposable
{
    /// <summary>The first argument of a process that is to be a lane.</summary>
    internal const string Verb = "lane";

    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(50);

    private readonly WorkerChannel channel;
    private readonly TimeProvider time = TimeProvider.System;
    private readonly WorkerJobs jobs;
    private readonly StepScheduler steps = new();
    private readonly BodyExecutions executions;
    private readonly ConcurrentDictionary<Guid, LaneRun> runs = new();
    private readonly AutoResetEvent news = new(initialState: false);
    private readonly AdoptedZombies zombies = new();

    internal LaneProcess(WorkerChannel channel, Action<JobsBuilder> configureJobs)
    {
        this.channel = channel;
        jobs = new(configureJobs);
        executions = new(jobs.Services.GetRequiredService<IServiceScopeFactory>(), steps, time);
    }

    public void Dispose()
    {
        jobs.Dispose();
        steps.Dispose();
        news.Dispose();
    }

    /// <summary>Listens on the calling thread until the host is gone, and then ends with all that it runs.</summary>
    [DoesNotReturn]
    internal void Run()
    {
        // SIGTERM to the whole group is for what the runs have started; a lane ends with its channel.
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, signal => signal.Cancel = true);
        new Thread(Report) { Name = "jobhost-reporter", IsBackground = true }.Start();
        if (OperatingSystem.IsLinux())
        {
            zombies.Begin();
        }
        try
        {
            while (channel.Receive() is { } message)
            {
                Hear(message);
            }
        }
        catch (Exception broken) when (broken is IOException or InvalidDataException)
        {
            // Whatever is wrong with the channel, nobody can stop these runs through it any more.
        }
        WorkerProcess.EndWithHost();
    }

    private void Hear(Message message)
    {
        switch (message)
        {
            case AssignMessage assignment:
                Start(assignment);
                break;
            case OfRunMessage { Message: ClimbMessage climb } of when runs.TryGetValue(of.RunId, out var run):
                // Nobody waits for it here: what comes of it is the run's end. The first strike has happened on return.
                _ = run.Execution?.ClimbAsync(climb.Rung, climb.Notice, climb.Grace, CancellationToken.None);
                break;
            case OfRunMessage { Message: DeliverMessage deliver } of when runs.TryGetValue(of.RunId, out var run):
                run.Mail.Deliver(deliver.Message);
                break;
            case OfRunMessage { Message: SaidMessage said } of when runs.TryGetValue(of.RunId, out var run):
                run.Outbox.Hear(said);
                break;
        }
    }

    private void Start(AssignMessage assignment)
    {
        var mail = new ChannelMail(message => channel.Send(new OfRunMessage(assignment.RunId, message)));
        var context = new RunContext(
            assignment.RunId,
            assignment.Job,
            assignment.Attempt,
            assignment.Fence,
            _ => assignment.WorkingDirectory,
            mail,
            time
        )
        {
            Activity = JobActivity.Begin(JobActivity.CodeSpan, assignment.TraceParent, assignment.TraceState),
        };
        runs[assignment.RunId] = Started(assignment, context, mail);
        news.Set();
    }

    private LaneRun Started(AssignMessage assignment, RunContext context, ChannelMail mail)
    {
        try
        {
            var execution = executions.Start(
                new()
                {
                    Body = jobs.BodyOf(assignment.Job),
                    Parameters = assignment.Parameters,
                    ParametersFile = assignment.ParametersFile,
                    Context = context,
                    OwnThread = assignment.OwnThread,
                    MayAbort = true,
                }
            );
            _ = execution.Completion.ContinueWith(
                static (_, news) => ((AutoResetEvent)news!).Set(),
                news,
                CancellationToken.None,
                TaskContinuationOptions.ExecuteSynchronously,
                TaskScheduler.Default
            );
            return new(context, mail, execution, execution.Completion);
        }
        catch (Exception problem)
        {
            // The code of a registration, or no memory for another thread: one run's failure, not the lane's.
            return new(context, mail, null, Task.FromResult(BodyOutcome.Threw(problem, context)));
        }
    }

    /// <summary>Carries log lines, progress and ends to the host, on one thread for all, so that no job waits for a pipe.</summary>
    private void Report()
    {
        try
        {
            while (true)
            {
                foreach (var (id, run) in runs)
                {
                    Report(id, run);
                }
                news.WaitOne(Interval);
            }
        }
        catch (IOException)
        {
            // The host is gone, or a job closed the channel, which the listener need not notice: nobody can be told any more.
            WorkerProcess.EndWithHost();
        }
    }

    private void Report(Guid id, LaneRun run)
    {
        // Before the look at what it wrote, so that nothing comes after the end.
        var hasEnded = run.Completion.IsCompleted;
        foreach (var message in run.Report.Take())
        {
            channel.Send(new OfRunMessage(id, message));
        }
        if (hasEnded)
        {
            runs.TryRemove(id, out _);
            run.Activity?.Dispose();
            run.Mail.Finish();
            channel.Send(new OfRunMessage(id, EndedMessage.Of(run.Completion.GetAwaiter().GetResult())));
        }
    }

    private sealed class LaneRun(
        RunContext context,
        ChannelMail mail,
        BodyExecution? execution,
        Task<BodyOutcome> completion
    )
    {
        internal RunMail Mail => context.Mail;

        internal ChannelMail Outbox => mail;

        internal BodyExecution? Execution => execution;

        internal Task<BodyOutcome> Completion => completion;

        internal Activity? Activity => context.Activity;

        internal RunReport Report { get; } = new(context);
    }
}
