using System.CommandLine;
using System.Globalization;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;

namespace JobHost.Cli.Commands;

/// <summary><c>events</c>: what has happened, and what happens.</summary>
internal static class EventsVerb
{
    private static readonly Dictionary<string, EventTopic> TopicNames = new(StringComparer.Ordinal)
    {
        ["run"] = EventTopic.Run,
        ["job"] = EventTopic.Job,
        ["node"] = EventTopic.Node,
    };

    internal static Command Create()
    {
        var which = new Argument<string?>("run")
        {
            Description = "Only of this run, and with --follow until it has ended",
            HelpName = "RUN",
            Arity = ArgumentArity.ZeroOrOne,
        };
        which.CompletionSources.Add(Complete.Run);
        var follow = new Option<bool>("--follow", "-f") { Description = "What happens from now on, live" };
        var after = new Option<long?>("--after")
        {
            Description = "Only those with a higher number; with --follow goes on there",
            HelpName = "number",
        };
        var job = Verb.JobOption("Only of runs of this job");
        var topics = new Option<string[]>("--topic", "-t")
        {
            Description = "Only of this topic: run, job or node; may stand several times",
            HelpName = "topic",
        };
        topics.AcceptOnlyFromAmong([.. TopicNames.Keys]);
        var command = new VerbCommand(
            "events",
            "Tells what has happened, the oldest first, or what happens. Ctrl-C ends it.",
            "jobhost events --follow --topic run --job backup"
        )
        {
            which,
            follow,
            after,
            job,
            topics,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                var filter = new EventFilter
                {
                    Job = parsed.GetValue(job),
                    Topics = [.. (parsed.GetValue(topics) ?? []).Select(name => TopicNames[name])],
                };
                var first = parsed.GetValue(after);
                var follows = parsed.GetValue(follow);
                IAsyncEnumerable<RecordedEvent> events;
                if (parsed.GetValue(which) is { } text)
                {
                    if (filter is not { Job: null, Topics.Count: 0 })
                    {
                        throw new UsageException("Of one run there is one job and one topic.");
                    }
                    var id = await RunFinder.FindAsync(session.Client, text, cancellationToken);
                    events = follows
                        ? session.Client.FollowRunEventsAsync(id, first, cancellationToken)
                        : session.Client.EnumerateRunEventsAsync(id, cancellationToken);
                }
                else
                {
                    events = follows
                        ? session.Client.FollowEventsAsync(filter, first, cancellationToken)
                        : session.Client.EnumerateEventsAsync(filter, cancellationToken);
                }
                await foreach (var told in events.WithCancellation(cancellationToken))
                {
                    if (told.Id > (first ?? 0))
                    {
                        Write(session, told);
                    }
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static void Write(Session session, RecordedEvent told)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(told, CliJson.Legible.RecordedEvent);
            return;
        }
        var on = told.RunId is { } run ? $"{told.Job} {RunFinder.Short(run)}" : told.Job ?? told.Node;
        var by = told.By is { } name ? $" ({name})" : "";
        var why = told.Error?.Message ?? told.Reason;
        var line = string.Create(
            CultureInfo.InvariantCulture,
            $"{told.Id, 6} {Words.Instant(told.At)} {told.Type, -17} {on}{(why is null ? "" : $": {why}")}{by}"
        );
        session.Screen.WriteLine(Words.Cut(Words.Clean(line), session.Screen.Width));
    }
}
