using System.Text.Json;

namespace JobHost.TestHost.Jobs;

/// <summary>Answers every message with what it is, until one says <c>{ "stop": true }</c>; the result is all that it received.</summary>
internal sealed class Conversation : IJob<ConversationParameters>
{
    public async Task<object?> RunAsync(
        ConversationParameters parameters,
        JobContext context,
        CancellationToken cancellationToken
    )
    {
        var received = new List<JsonElement>();
        while (true)
        {
            var message = await context.ReceiveAsync(cancellationToken);
            received.Add(message.Body);
            if (message.Body.ValueKind == JsonValueKind.Object && message.Body.TryGetProperty("stop", out _))
            {
                return received;
            }
            await context.SendAsync(
                new
                {
                    Heard = message.Body,
                    message.By,
                    context.Attempt,
                }
            );
            if (received.Count == parameters.FailAfter && context.Attempt == 1)
            {
                throw new InvalidOperationException("Enough for a first attempt.");
            }
        }
    }

    /// <summary>Talks until nobody can hear more; the result is how often, and why no more.</summary>
    internal static async Task<object?> FloodAsync(JobContext context, CancellationToken cancellationToken)
    {
        for (var count = 0; ; count++)
        {
            try
            {
                await context.SendAsync(count);
            }
            catch (InvalidOperationException full)
            {
                return new { Count = count, Why = full.Message };
            }
        }
    }

    /// <summary>Ends while something that it has started talks on.</summary>
    internal static async Task<object?> LeaveTalkerAsync(JobContext context, CancellationToken cancellationToken)
    {
        await context.SendAsync(0);
        _ = Task.Run(() => FloodAsync(context, cancellationToken), CancellationToken.None);
        return "left";
    }

    /// <summary>Sends more than a message may hold.</summary>
    internal static async Task<object?> TooMuchAsync(JobContext context, CancellationToken cancellationToken)
    {
        try
        {
            await context.SendAsync(new string('x', 70_000));
            return "sent";
        }
        catch (ArgumentException problem)
        {
            return problem.Message;
        }
    }
}

/// <param name="FailAfter">The first attempt fails when it has answered so many.</param>
internal sealed record ConversationParameters(int FailAfter = int.MaxValue);
