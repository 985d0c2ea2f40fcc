using System.CommandLine;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>logs</c>: what a run has printed.</summary>
internal static class LogsVerb
{
    internal static Command Create()
    {
        var which = Verb.Run();
        var follow = new Option<bool>("--follow", "-f") { Description = "Goes on until the run has ended" };
        var tail = new Option<int?>("--tail", "-n") { Description = "Only the last so many lines", HelpName = "lines" };
        var stream = new Option<string>("--stream")
        {
            Description = "log, stdout or stderr. Default: stdout of commands, the log of other jobs",
            HelpName = "stream",
        };
        stream.AcceptOnlyFromAmong("log", "stdout", "stderr");
        var command = new Command("logs", "Shows what a run has printed. Ctrl-C leaves the run alone.")
        {
            which,
            follow,
            tail,
            stream,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var query = new LogQuery
                {
                    Stream = parsed.GetValue(stream) switch
                    {
                        "log" => LogStream.Log,
                        "stdout" => LogStream.Stdout,
                        "stderr" => LogStream.Stderr,
                        _ => null,
                    },
                    Tail = parsed.GetValue(tail),
                };
                if (parsed.GetValue(follow))
                {
                    await foreach (var line in session.Client.FollowLogAsync(id, query, cancellationToken))
                    {
                        Write(session, line);
                    }
                    return ExitCodes.Done;
                }
                if (session.IsJson)
                {
                    await foreach (var line in session.Client.ReadLogLinesAsync(id, query, cancellationToken))
                    {
                        Write(session, line);
                    }
                    return ExitCodes.Done;
                }
                await CopyAsync(session, id, query, cancellationToken);
                return ExitCodes.Done;
            }
        );
        return command;
    }

    /// <summary>The bytes as they were printed, part by part, as an answer has a limit.</summary>
    private static async Task CopyAsync(Session session, Guid id, LogQuery query, CancellationToken cancellationToken)
    {
        await using var output = Console.OpenStandardOutput();
        while (true)
        {
            var part = await session.Client.ReadLogAsync(id, query, cancellationToken);
            if (part.Bytes.IsEmpty)
            {
                return;
            }
            await output.WriteAsync(part.Bytes, cancellationToken);
            query = query with { Tail = null, Offset = part.NextOffset };
        }
    }

    private static void Write(Session session, LogLine line)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(line, CliJson.Legible.LogLine);
        }
        else
        {
            session.Screen.Write(line.IsCut ? line.Line : line.Line + '\n');
        }
    }
}
