using JobHost.Cli.Screens;
using JobHost.Client;
using JobHost.Client.Documents;

namespace JobHost.Cli;

/// <summary>
/// Stays with a run until it has ended: shows what it prints where that is wanted, and passes Ctrl-C on. The first asks the run
/// to stop, the second kills it, the third leaves it to itself.
/// </summary>
internal sealed class RunFollower(Session session, Run run, bool showsLog, bool isRaw = false)
{
    private readonly string name = $"{run.Job} {RunFinder.Short(run.Id)}";

    /// <summary>Returns the exit code that mirrors the run.</summary>
    internal async Task<int> StayAsync(Interrupts interrupts)
    {
        using var leaving = new CancellationTokenSource();
        using var ended = CancellationTokenSource.CreateLinkedTokenSource(leaving.Token);
        if (!session.IsJson)
        {
            await SayAsync($"{run.Job} {run.Id}");
        }
        var passing = PassOnAsync(interrupts, leaving, ended.Token);
        var printing = showsLog
            ? Task.WhenAll(
                PrintAsync(stream: null, isError: false, ended.Token),
                PrintAsync(LogStream.Stderr, isError: true, ended.Token)
            )
            : Task.CompletedTask;
        try
        {
            var last = await session.Client.WaitAsync(run.Id, orStuck: true, leaving.Token);
            if (last.IsEnded)
            {
                await printing;
            }
            if (session.IsJson)
            {
                session.Screen.WriteJson(last, CliJson.Legible.Run);
            }
            else
            {
                await SayAsync(Words.Ending(last, Session.Time.GetUtcNow()));
            }
            return ExitCodes.Of(last);
        }
        catch (OperationCanceledException) when (leaving.IsCancellationRequested)
        {
            await SayAsync($"{name} goes on, or ends, without being watched.");
            return ExitCodes.Unknown;
        }
        finally
        {
            await ended.CancelAsync();
            await printing.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            await passing;
        }
    }

    private async Task PrintAsync(LogStream? stream, bool isError, CancellationToken cancellationToken)
    {
        await foreach (var line in session.Client.FollowLogAsync(run.Id, new() { Stream = stream }, cancellationToken))
        {
            if (isError)
            {
                await Screen.WritePrintedErrorAsync(line, isRaw);
            }
            else if (session.IsJson)
            {
                session.Screen.WriteJson(line, CliJson.Legible.LogLine);
            }
            else
            {
                session.Screen.WritePrinted(line, isRaw);
            }
        }
    }

    /// <summary>Each press is acted on at once, also while the one before is still under way.</summary>
    private async Task PassOnAsync(Interrupts interrupts, CancellationTokenSource leaving, CancellationToken ended)
    {
        var stops = new List<Task>();
        try
        {
            await foreach (var press in interrupts.PressesAsync(ended))
            {
                if (press > 2)
                {
                    await leaving.CancelAsync();
                    break;
                }
                stops.Add(press == 1 ? CancelAsync(ended) : KillAsync(ended));
            }
        }
        catch (OperationCanceledException)
        {
            // It has ended.
        }
        await Task.WhenAll(stops);
    }

    private async Task CancelAsync(CancellationToken cancellationToken)
    {
        await SayAsync($"Cancelling {name}. Ctrl-C again kills it.");
        await TryAsync(session.Client.CancelAsync(run.Id, new() { Reason = "Ctrl-C" }, wait: null, cancellationToken));
    }

    private async Task KillAsync(CancellationToken cancellationToken)
    {
        await SayAsync($"Killing {name}. Ctrl-C again leaves it to itself.");
        await TryAsync(
            session.Client.KillAsync(run.Id, new() { Reason = "Ctrl-C, twice" }, wait: null, cancellationToken)
        );
    }

    private static async Task TryAsync(Task<Termination> stop)
    {
        try
        {
            await stop;
        }
        catch (JobHostApiException refusal) when (refusal.Is("run-already-ended"))
        {
            // Its end is on the way here.
        }
        catch (JobHostApiException refusal)
        {
            await SayAsync($"jobhost: {Words.Of(refusal)}");
        }
        catch (HttpRequestException unreached)
        {
            await SayAsync($"jobhost: {Words.Of(unreached)}");
        }
        catch (OperationCanceledException)
        {
            // It has ended, or is left to itself.
        }
    }

    private static Task SayAsync(string text) => Console.Error.WriteLineAsync(text);
}
