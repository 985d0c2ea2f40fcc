using System.Diagnostics;
using JobHost.Worker.Bodies;
using JobHost.Worker.Processes;
using JobHost.Worker.Protocol;
using JobHost.Worker.Running;
using Microsoft.Extensions.DependencyInjection;

namespace JobHost.Worker.Main;

/// <summary>The one run of a worker, from its assignment until the host has been told how it ended.</summary>
internal sealed class AssignedRun
{
    private readonly WorkerReporter reporter;
    private readonly WorkerJobs jobs;
    private readonly ChannelMail mail;
    private readonly RunContext context;
    private readonly AssignedCommand? command;

    /// <param name="assignment">What to run.</param>
    /// <param name="channel">The host.</param>
    /// <param name="reporter">Who reports it.</param>
    /// <param name="jobs">Where its code is found.</param>
    /// <param name="zombies">Who must not reap the process of a command.</param>
    internal AssignedRun(
        AssignMessage assignment,
        WorkerChannel channel,
        WorkerReporter reporter,
        WorkerJobs jobs,
        AdoptedZombies zombies
    )
    {
        Assignment = assignment;
        this.reporter = reporter;
        this.jobs = jobs;
        mail = new(channel.Send);
        context = new(
            assignment.RunId,
            assignment.Job,
            assignment.Attempt,
            assignment.Fence,
            _ => assignment.WorkingDirectory,
            mail,
            TimeProvider.System
        )
        {
            // A command finds its trace in its environment.
            Activity = assignment.Command is null
                ? JobActivity.Begin(JobActivity.CodeSpan, assignment.TraceParent, assignment.TraceState)
                : null,
        };
        command = assignment.Command is { } line
            ? new(line, assignment.TakesInput, channel.Send, zombies, context.StopToken)
            : null;
    }

    internal AssignMessage Assignment { get; }

    /// <summary>Whether it is a program, and no job's code has run.</summary>
    internal bool IsCommand => command is not null;

    /// <summary>Runs it, reports what it says meanwhile, and then how it ended.</summary>
    internal async Task RunAsync()
    {
        reporter.Begin(context);
        reporter.Finish(command is not null ? command.Run() : await RunCodeAsync());
    }

    /// <summary>What the host says about it.</summary>
    internal void Hear(Message message)
    {
        switch (message)
        {
            case StopMessage stop:
                context.RequestStop(new(stop.Cause, stop.Reason, stop.Deadline));
                command?.Terminate();
                break;
            case DeliverMessage deliver:
                context.Mail.Deliver(deliver.Message);
                break;
            case SaidMessage said:
                mail.Hear(said);
                break;
            case InputMessage given:
                command?.Give(given);
                break;
        }
    }

    /// <summary>Asks the code to stop, where nobody has; whoever signals the tree has signalled a command, too.</summary>
    internal void StopIfNobodyHas(StopNotice notice)
    {
        if (context.Stop is null)
        {
            context.RequestStop(notice);
        }
    }

    private async Task<EndedMessage> RunCodeAsync()
    {
        BodyOutcome outcome;
        Activity.Current = context.Activity;
        try
        {
            // What the services keep back they write when they end, which belongs to the run.
            await using var ending = jobs;
            var body = jobs.BodyOf(Assignment.Job);
            await using var scope = jobs.Services.CreateAsyncScope();
            var parameters = ParametersFile.Read(
                body,
                Assignment.Parameters,
                Assignment.ParametersFile,
                out var errors
            );
            if (errors.Count > 0)
            {
                throw new InvalidDataException(
                    $"The worker read the parameters differently from the host: {string.Join(", ", errors.Keys)}."
                );
            }
            outcome = BodyOutcome.Returned(
                await CallAsync(body, scope.ServiceProvider, parameters),
                context.ResultFile
            );
        }
        catch (Exception exception)
        {
            // Whatever job code throws is an outcome, not a fault of the worker.
            outcome = BodyOutcome.Threw(exception, context);
        }
        context.Activity?.Dispose();
        context.Mail.Finish();
        return EndedMessage.Of(outcome);
    }

    private async Task<object?> CallAsync(JobBody body, IServiceProvider services, object? parameters)
    {
        switch (body.Form)
        {
            case JobForm.Blocking:
                return await Task.Factory.StartNew(
                    body.Prepare(services, parameters, context),
                    CancellationToken.None,
                    TaskCreationOptions.LongRunning,
                    TaskScheduler.Default
                );
            case JobForm.Steps:
                await foreach (
                    var step in body.Steps(services, parameters, context).WithCancellation(context.StopToken)
                )
                {
                    context.StopToken.ThrowIfCancellationRequested();
                    if (step.IsLast)
                    {
                        return step.Result;
                    }
                    await Task.Delay(step.Pause, TimeProvider.System, context.StopToken);
                }
                return null;
            default:
                return await Task.Run(() => body.RunAsync(services, parameters, context));
        }
    }
}
