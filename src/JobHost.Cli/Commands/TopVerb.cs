using System.CommandLine;
using System.Runtime.InteropServices;
using JobHost.Cli.Screens;
using JobHost.Client;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>top</c>: what runs now, until somebody has seen enough.</summary>
internal static class TopVerb
{
    private static readonly TimeSpan LookPause = TimeSpan.FromMilliseconds(50);

    internal static Command Create()
    {
        var interval = Verb.Seconds("--interval", "How often it looks. Default: 1");
        var command = new VerbCommand(
            "top",
            "Shows what runs and waits now, live. q or Ctrl-C ends it.",
            "jobhost top --interval 5"
        )
        {
            interval,
        };
        command.Does(
            async (parsed, session, _) =>
            {
                if (!session.Screen.IsTerminal || session.IsJson)
                {
                    throw new UsageException("'top' needs a terminal, and has no documents. 'ps' lists the same once.");
                }
                var pause = Verb.Time(parsed.GetValue(interval)) is { TotalSeconds: >= 0.1 } given
                    ? given
                    : TimeSpan.FromSeconds(1);
                // Whatever ends it, the terminal is given back as it was.
                using var leaving = new CancellationTokenSource();
                using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Leave);
                using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Leave);
                TopScreen.Open(session.Screen);
                try
                {
                    await ShowAsync(session, pause, leaving.Token);
                }
                catch (OperationCanceledException) when (leaving.IsCancellationRequested)
                {
                    // Seen enough.
                }
                finally
                {
                    TopScreen.Close(session.Screen);
                }
                return ExitCodes.Done;

                void Leave(PosixSignalContext signal)
                {
                    signal.Cancel = true;
                    leaving.Cancel();
                }
            }
        );
        return command;
    }

    private static async Task ShowAsync(Session session, TimeSpan pause, CancellationToken cancellationToken)
    {
        var view = new TopView([], [], Problem: null);
        while (true)
        {
            view = await LookAsync(session, view, cancellationToken);
            TopScreen.Draw(session.Screen, view, Session.Time.GetUtcNow());
            var shown = Session.Time.GetTimestamp();
            do
            {
                if (IsQuitPressed())
                {
                    return;
                }
                await Task.Delay(LookPause, Session.Time, cancellationToken);
            } while (Session.Time.GetElapsedTime(shown) < pause);
        }
    }

    /// <summary>What there is now; where the server does not say, what there was, and why.</summary>
    private static async Task<TopView> LookAsync(Session session, TopView last, CancellationToken cancellationToken)
    {
        try
        {
            var nodes = await session.Client.ListNodesAsync(cancellationToken);
            var runs = await session.Client.ListRunsAsync(
                new() { States = [RunState.Running, RunState.Stuck, RunState.Queued], PageSize = 500 },
                pageToken: null,
                cancellationToken
            );
            return new(nodes, runs.Items, Problem: null);
        }
        catch (JobHostApiException refusal)
        {
            return last with { Problem = Words.Of(refusal) };
        }
        catch (Exception unreached)
            when (unreached is HttpRequestException or IOException
                || (unreached is OperationCanceledException && !cancellationToken.IsCancellationRequested)
            )
        {
            return last with { Problem = Words.Of(unreached) };
        }
    }

    private static bool IsQuitPressed()
    {
        while (!Console.IsInputRedirected && Console.KeyAvailable)
        {
            if (Console.ReadKey(intercept: true).KeyChar is 'q' or 'Q')
            {
                return true;
            }
        }
        return false;
    }
}
