using System.CommandLine;
using System.Globalization;
using JobHost.Cli.Screens;
using JobHost.Client.Documents;
using Spectre.Console;

namespace JobHost.Cli.Commands;

/// <summary><c>webhooks</c>: who is told of events, and what came of it.</summary>
internal static class WebhooksVerb
{
    internal static Command Create()
    {
        var which = new Argument<string?>("webhook")
        {
            Description = "Shows what came of telling this one, the newest first",
            HelpName = "WEBHOOK",
            Arity = ArgumentArity.ZeroOrOne,
        };
        which.CompletionSources.Add(Complete.Webhook);
        var limit = Verb.Limit();
        var command = new VerbCommand(
            "webhooks",
            "Lists the webhooks, or the deliveries of one.",
            "jobhost webhooks alerts"
        )
        {
            which,
            limit,
        };
        command.Does(
            async (parsed, session, cancellationToken) =>
            {
                if (parsed.GetValue(which) is { } name)
                {
                    var deliveries = await session
                        .Client.EnumerateDeliveriesAsync(name, cancellationToken)
                        .Take(Math.Max(1, parsed.GetValue(limit)))
                        .ToListAsync(cancellationToken);
                    Write(session, deliveries);
                }
                else
                {
                    Write(session, await session.Client.ListWebhooksAsync(cancellationToken));
                }
                return ExitCodes.Done;
            }
        );
        return command;
    }

    private static void Write(Session session, IReadOnlyList<Webhook> webhooks)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(webhooks, CliJson.Legible.IReadOnlyListWebhook);
            return;
        }
        var listing = new Listing("WEBHOOK", "BEHIND", "ORIGIN", "EVENTS", "JOBS");
        foreach (var hook in webhooks)
        {
            listing.Add(
                hook.Name,
                (hook.NewestEvent - hook.Position).ToString(CultureInfo.InvariantCulture),
                hook.Origin,
                hook.Events.Count == 0 ? "all" : string.Join(' ', hook.Events),
                hook.Jobs.Count == 0 ? "all" : string.Join(' ', hook.Jobs)
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }

    private static void Write(Session session, List<Delivery> deliveries)
    {
        if (session.IsJson)
        {
            session.Screen.WriteJson(deliveries, CliJson.Legible.IReadOnlyListDelivery);
            return;
        }
        var listing = new Listing("EVENT", "TYPE", "STATE", "TRIES", "LAST", "ANSWER", "PROBLEM");
        foreach (var delivery in deliveries)
        {
            listing.Add(
                delivery.EventId.ToString(CultureInfo.InvariantCulture),
                delivery.EventType,
                new Cell(Words.NameOf(delivery.State), delivery.State == DeliveryState.Failed ? new(Color.Red) : null),
                delivery.Attempts.ToString(CultureInfo.InvariantCulture),
                Words.Instant(delivery.LastAt),
                delivery.Status?.ToString(CultureInfo.InvariantCulture),
                delivery.Problem
            );
        }
        session.Screen.Write(listing.ToTable(session.Screen, session.Screen.Width));
    }
}
