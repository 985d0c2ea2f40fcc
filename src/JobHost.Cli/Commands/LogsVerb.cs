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
        var raw = Verb.Raw();
        var command = new VerbCommand(
            "logs",
            "Shows what a run has printed. Ctrl-C leaves the run alone. Into a file or a pipe go the bytes as they are.",
            "jobhost logs 1f3a9c07 --follow --tail 20"
        )
        {
            which,
            raw,
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
                var isRaw = parsed.GetValue(raw);
                if (parsed.GetValue(follow))
                {
                    await foreach (var line in session.Client.FollowLogAsync(id, query, cancellationToken))
                    {
                        Write(session, line, isRaw);
                    }
                    return ExitCodes.Done;
                }
                // A terminal shows lines, so that none of them steers it.
                if (session.IsJson || (session.Screen.IsTerminal && !isRaw))
                {
                    await foreach (var line in session.Client.ReadLogLinesAsync(id, query, cancellationToken))
                    {
                        Write(session, line, isRaw);
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

    private static void Write(Session session, LogLine line, bool isRaw)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(line, CliJson.Legible.LogLine);
        }
        else
        {
            session.Screen.WritePrinted(line, isRaw);
        }
    }
}
