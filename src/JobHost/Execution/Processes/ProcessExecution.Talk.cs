using JobHost.Execution.Output;
using JobHost.Runs;
using JobHost.Worker.Protocol;

namespace JobHost.Execution.Processes;

/// <summary>What host and worker say to each other, and what the worker prints.</summary>
internal sealed partial class ProcessExecution
{
    /// <returns>Null, or why the worker did not get its assignment.</returns>
    private async Task<string?> AssignAsync(ProcessTree target, WorkerEnvironment environment, RunFolders folders)
    {
        try
        {
            return await SendAsync(target, Assignment(environment, folders.WorkingDirectory(order.Run.Id)));
        }
        catch (InvalidOperationException tooLong)
        {
            return tooLong.Message;
        }
    }

    internal override async Task<string?> DeliverAsync(RunMessage message)
    {
        // Before its assignment a worker understands nothing else.
        await assigned.Task;
        return tree is not { } target
            ? "the worker did not start"
            : await SendAsync(
                target,
                order.Job.IsCommand
                    ? new InputMessage(message.Sequence, message.Body)
                    : new DeliverMessage(Mail.ForCode(message))
            );
    }

    private AssignMessage Assignment(WorkerEnvironment environment, string workingDirectory)
    {
        var command = order.Job.Command;
        return new()
        {
            RunId = order.Run.Id.Value,
            Job = order.Job.Name,
            Attempt = order.Run.Attempt,
            Fence = order.Run.Fence,
            WorkingDirectory = workingDirectory,
            OpenFiles = order.Job.Limits.OpenFiles,
            TakesInput = command?.TakesInput == true,
            Variables = environment.ForRun(order.Run),
            Parameters = command is null ? order.Run.Parameters : null,
            ParametersFileSha256 = order.Run.LargeParameters?.Sha256,
            TraceParent = order.Run.TraceParent,
            TraceState = order.Run.TraceState,
            Command = command is null
                ? null
                : new(
                    command.File,
                    command.Fill(order.Run.Parameters ?? default, out _),
                    environment.ForCommand(order.Run, command),
                    command.WorkingDirectory ?? workingDirectory
                ),
        };
    }

    private async Task<string?> SendAsync(ProcessTree target, Message message)
    {
        // A worker that does not read must not hold whoever wants it stopped.
        using var bound = new CancellationTokenSource(ExitGrace, time);
        try
        {
            await sending.WaitAsync(bound.Token);
            try
            {
                await target.ToWorker.WriteAsync(Frame.Encode(message), bound.Token);
                await target.ToWorker.FlushAsync(bound.Token);
                return null;
            }
            finally
            {
                sending.Release();
            }
        }
        catch (Exception problem) when (problem is IOException or ObjectDisposedException or OperationCanceledException)
        {
            return "the worker does not listen";
        }
    }

    /// <summary>Hears the worker out. Nothing that it says is believed beyond its own run.</summary>
    private async Task ListenAsync(WaitingWorker worker)
    {
        var source = worker.Tree;
        try
        {
            if (!await worker.Ready && worker.Violation is { } unready)
            {
                throw new InvalidDataException(unready);
            }
            while (await Frame.ReadAsync(source.FromWorker, CancellationToken.None) is { } message)
            {
                switch (message)
                {
                    case ReportMessage report when said is null:
                        order.Output.WriteLog(report.Lines, report.Dropped);
                        EndIf(limits.ExceededByOutput(order.Output.Written));
                        if (report.Progress is { } progress)
                        {
                            order.Context.Report(progress.Percent, progress.Message);
                        }
                        break;
                    // One after the other: a worker that talks faster than the disk writes is not read meanwhile.
                    case SayMessage say when said is null:
                        await SendAsync(source, await Mail.AnswerAsync(order.Context.Mail.Carrier, say));
                        break;
                    case ReceivedMessage received when said is null:
                        order.Context.Mail.Carrier.NoteReceived(received.Sequence);
                        break;
                    case EndedMessage ended when said is null:
                        said = ended;
                        leaving = LeaveAsync(source);
                        break;
                    default:
                        throw new InvalidDataException($"A worker may not send '{message.GetType().Name}' now.");
                }
            }
        }
        catch (InvalidDataException problem)
        {
            violation = problem.Message;
            Kill(source);
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException)
        {
            // The worker ended, which RootEnded tells.
        }
    }

    /// <summary>Counts whom the job left behind, while they still are below somebody, and lets the worker go.</summary>
    private async Task LeaveAsync(ProcessTree source)
    {
        lock (killing)
        {
            var left = source.Members().Where(process => process.Pid != source.Pid).ToList();
            leftovers.Add(left);
            Note(left);
        }
        await SendAsync(source, new LeaveMessage());
        await ((Task)source.RootEnded)
            .WaitAsync(ExitGrace, time)
            .ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
        if (!source.RootEnded.IsCompleted)
        {
            Kill(source);
        }
    }

    private async Task PumpAsync(Stream source, OutputStream stream)
    {
        var buffer = new byte[16 * 1024];
        try
        {
            int count;
            while ((count = await source.ReadAsync(buffer)) > 0)
            {
                order.Output.Write(stream, buffer.AsSpan(0, count));
                EndIf(limits.ExceededByOutput(order.Output.Written));
            }
        }
        catch (Exception closed) when (closed is IOException or ObjectDisposedException or OperationCanceledException)
        {
            // Closed from our side, after the grace.
        }
    }

    // Never a wait for the end of a pipe alone: somebody outside the tree may hold the other end for ever.
    private async Task WhenAllWithin(TimeSpan grace, params Task[] tasks) =>
        await Task.WhenAll(tasks).WaitAsync(grace, time).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
}
