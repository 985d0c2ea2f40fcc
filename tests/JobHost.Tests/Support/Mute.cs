using System.Text.Json;
using JobHost.Worker.Running;

namespace JobHost.Tests.Support;

/// <summary>Carries no messages.</summary>
internal sealed class Mute : IMailCarrier
{
    public Task SayAsync(JsonElement body) => throw new InvalidOperationException("Nobody listens.");

    public void NoteReceived(long sequence) { }
}
