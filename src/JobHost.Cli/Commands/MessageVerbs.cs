using System.CommandLine;
using System.Globalization;
using System.Text;
using System.Text.Json;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>send</c>, <c>messages</c> and <c>input</c>: talking to a run.</summary>
internal static class MessageVerbs
{
    private static readonly TimeSpan NoWait = TimeSpan.Zero;

    internal static Command CreateSend()
    {
        var which = Verb.Run(Complete.OpenRun);
        var text = new Argument<string>("message")
        {
            Description = "JSON; what is no JSON is sent as the text that it is. -: from standard input",
            HelpName = "MESSAGE",
        };
        var command = new VerbCommand(
            "send",
            "Sends a message to the code of a run, which receives it in its turn.",
            "jobhost send 1f3a9c07 '{\"page\": 7}'"
        )
        {
            which,
            text,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var given = parsed.GetRequiredValue(text);
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                if (given == "-")
                {
                    given = (await Console.In.ReadToEndAsync(cancellationToken)).TrimEnd('\r', '\n');
                }
                var sent = await session.Client.SendMessageAsync(id, Parse(given), cancellationToken);
                if (session.IsJson)
                {
                    session.Screen.WriteJson(sent, CliJson.Legible.RunMessage);
                }
                else
                {
                    session.Screen.WriteLine($"Message {sent.Sequence} is on disk, and waits to be received.");
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    internal static Command CreateMessages()
    {
        var which = Verb.Run();
        var follow = new Option<bool>("--follow", "-f") { Description = "Goes on until the run has ended" };
        var after = new Option<long>("--after")
        {
            Description = "Only those with a higher number",
            HelpName = "number",
        };
        var take = new Option<bool>("--take")
        {
            Description = "Removes what was shown; a run may have only so much that nobody takes",
        };
        var waiting = new Option<bool>("--waiting") { Description = "What was sent to it and it has not received" };
        var command = new VerbCommand(
            "messages",
            "Shows what a run has said, with the number of each message.",
            "jobhost messages 1f3a9c07 --follow"
        )
        {
            which,
            follow,
            after,
            take,
            waiting,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                var (first, takes) = (parsed.GetValue(after), parsed.GetValue(take));
                if (parsed.GetValue(waiting))
                {
                    if (takes || parsed.GetValue(follow))
                    {
                        throw new UsageException("--waiting goes with neither --take nor --follow.");
                    }
                    await WriteAsync(
                        session,
                        id,
                        first,
                        list: session.Client.ListWaitingMessagesAsync,
                        cancellationToken
                    );
                }
                else if (parsed.GetValue(follow))
                {
                    await foreach (var message in session.Client.ReadMessagesAsync(id, first, takes, cancellationToken))
                    {
                        Write(session, message);
                    }
                }
                else
                {
                    var last = await WriteAsync(
                        session,
                        id,
                        first,
                        (run, number, limit, token) =>
                            session.Client.ListMessagesAsync(run, number, limit, NoWait, token),
                        cancellationToken
                    );
                    if (takes && last > first)
                    {
                        await session.Client.TakeMessagesAsync(id, last, cancellationToken);
                    }
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    internal static Command CreateInput()
    {
        var which = Verb.Run(Complete.OpenRun);
        var keep = new Option<bool>("--keep-open") { Description = "More follows: leaves its input open" };
        var command = new VerbCommand(
            "input",
            "Feeds standard input to that of a command, to its end, and then closes it.",
            "echo 'select 1;' | jobhost input 1f3a9c07"
        )
        {
            which,
            keep,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var id = await RunFinder.FindAsync(session.Client, parsed.GetRequiredValue(which), cancellationToken);
                await using var source = Console.OpenStandardInput();
                var keepsOpen = parsed.GetValue(keep);
                var bytes = await session.Client.CopyInputAsync(id, source, end: !keepsOpen, cancellationToken);
                if (!session.IsJson)
                {
                    session.Screen.WriteLine(
                        $"{bytes} bytes are on disk, and wait to be read{(keepsOpen ? "" : "; nothing follows")}."
                    );
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private delegate Task<IReadOnlyList<RunMessage>> List(
        Guid run,
        long after,
        int? limit,
        CancellationToken cancellationToken
    );

    /// <summary>Writes all there are now, and returns the last number.</summary>
    private static async Task<long> WriteAsync(
        Session session,
        Guid id,
        long after,
        List list,
        CancellationToken cancellationToken
    )
    {
        const int part = 1000;
        while (true)
        {
            var messages = await list(id, after, part, cancellationToken);
            foreach (var message in messages)
            {
                Write(session, message);
                after = message.Sequence;
            }
            if (messages.Count < part)
            {
                return after;
            }
        }
    }

    private static void Write(Session session, RunMessage message)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(message, CliJson.Legible.RunMessage);
            return;
        }
        var content =
            message.Message?.GetRawText()
            ?? (
                message.Input is { Length: > 0 } input
                    ? Encoding.UTF8.GetString(Convert.FromBase64String(input))
                    : "(end of input)"
            );
        var by = message.By is { } name ? $"{name}: " : "";
        session.Screen.WriteLine(
            Words.Clean(
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"{message.Sequence, 4} {Words.Instant(message.At)} {by}{content}"
                )
            )
        );
    }

    private static JsonElement Parse(string text)
    {
        try
        {
            return JsonElement.Parse(text);
        }
        catch (JsonException)
        {
            return JsonSerializer.SerializeToElement(text, CliJson.Legible.String);
        }
    }
}
