using Commerce.Tracking.Vocabularies;
using static Commerce.Shipments.V1.TrackingStatus;

namespace Commerce.Tracking.Tests.Vocabularies;

public sealed class WordsTests
{
    [Theory]
    [InlineData("Delivered, Front Door", V1.TrackingStatus.Delivered)]
    [InlineData("Delivered to recipient; return label included", V1.TrackingStatus.Delivered)]
    [InlineData("Not delivered", DeliveryFailed)]
    [InlineData("Undelivered", DeliveryFailed)]
    [InlineData("Unable to deliver", DeliveryFailed)]
    [InlineData("Your package cannot be delivered today", DeliveryFailed)]
    [InlineData("Will be delivered by end of day", InTransit)]
    [InlineData("Scheduled to be delivered tomorrow", InTransit)]
    [InlineData("Delivered to local post office for final delivery", InTransit)]
    [InlineData("Delivered to Access Point", AvailableForPickup)]
    [InlineData("Delivered to shipper", ReturnToSender)]
    [InlineData("Returned to facility after attempt", InTransit)]
    [InlineData("Return initiated", ReturnToSender)]
    [InlineData("Household goods accepted", PickedUp)]
    [InlineData("Loaded on delivery vehicle", OutForDelivery)]
    [InlineData("Your package was released by the customs agency.", InTransit)]
    [InlineData("After an unsuccessful delivery attempt the parcel is back at the recipient depot.", DeliveryFailed)]
    [InlineData("Customer addressing error found; attempting to correct. Possible delay", Delayed)]
    [InlineData("We attempted to pick up the parcel but were unsuccessful", PreTransit)]
    [InlineData("BoundToRound - out_for_distribution", OutForDelivery)]
    [InlineData("DistributedNormally - regular", V1.TrackingStatus.Delivered)]
    [InlineData("New Tracking Number Assigned -", PreTransit)]
    [InlineData("", Unknown)]
    [InlineData("…", Unknown)]
    [InlineData("JESSICA", Unknown)]
    // German
    [InlineData("Die Sendung wurde erfolgreich zugestellt.", V1.TrackingStatus.Delivered)]
    [InlineData("Die Sendung konnte nicht zugestellt werden.", DeliveryFailed)]
    [InlineData("Der Empfänger wurde nicht angetroffen.", DeliveryFailed)]
    [InlineData("Die Sendung wurde in das Zustellfahrzeug geladen.", OutForDelivery)]
    [InlineData("Die Sendung wird voraussichtlich morgen zugestellt.", InTransit)]
    [InlineData("Die Sendung liegt in der Filiale zur Abholung bereit.", AvailableForPickup)]
    [InlineData("Die Sendung wurde elektronisch angekündigt.", PreTransit)]
    [InlineData("Die Sendung wurde im Paketzentrum bearbeitet.", InTransit)]
    [InlineData("Annahme verweigert", DeliveryFailed)]
    [InlineData("Rücksendung an den Absender", ReturnToSender)]
    // French
    [InlineData("Votre colis est livré.", V1.TrackingStatus.Delivered)]
    [InlineData("Votre colis n'a pas pu être livré.", DeliveryFailed)]
    [InlineData("Votre colis est en cours de livraison.", OutForDelivery)]
    [InlineData("Votre colis est en cours d'acheminement.", InTransit)]
    [InlineData("Arrivée au centre", InTransit)]
    [InlineData("Votre Colissimo va bientôt nous être confié ! Il est en cours de préparation chez votre expéditeur.", PreTransit)]
    [InlineData("Votre colis a été déposé dans un point postal.", PickedUp)]
    [InlineData("Votre colis vous attend en point de retrait.", AvailableForPickup)]
    [InlineData("Destinataire absent, avis de passage déposé", DeliveryFailed)]
    [InlineData("Retour à l'expéditeur", ReturnToSender)]
    // Spanish
    [InlineData("Entregado", V1.TrackingStatus.Delivered)]
    [InlineData("El envío no ha podido ser entregado", DeliveryFailed)]
    [InlineData("En reparto", OutForDelivery)]
    [InlineData("El envío está en tránsito", InTransit)]
    [InlineData("Disponible para recoger en oficina", AvailableForPickup)]
    [InlineData("Devuelto al remitente", ReturnToSender)]
    [InlineData("Prerregistrado", PreTransit)]
    // Portuguese
    [InlineData("Objeto entregue ao destinatário", V1.TrackingStatus.Delivered)]
    [InlineData("Objeto não entregue - carteiro não atendido", DeliveryFailed)]
    [InlineData("Objeto saiu para entrega ao destinatário", OutForDelivery)]
    [InlineData("Objeto encaminhado", InTransit)]
    [InlineData("Objeto postado", PickedUp)]
    [InlineData("Objeto aguardando retirada no endereço indicado", AvailableForPickup)]
    [InlineData("Objeto devolvido ao remetente", ReturnToSender)]
    // Italian
    [InlineData("Consegnata", V1.TrackingStatus.Delivered)]
    [InlineData("Spedizione non consegnata: destinatario assente", DeliveryFailed)]
    [InlineData("In consegna", OutForDelivery)]
    [InlineData("La spedizione è in transito", InTransit)]
    [InlineData("Disponibile per il ritiro", AvailableForPickup)]
    [InlineData("Presa in carico", PickedUp)]
    // Dutch
    [InlineData("Pakket bezorgd", V1.TrackingStatus.Delivered)]
    [InlineData("Pakket niet bezorgd, ontvanger niet thuis", DeliveryFailed)]
    [InlineData("Bezorger is onderweg", OutForDelivery)]
    [InlineData("Je pakket wordt vandaag bezorgd", OutForDelivery)]
    [InlineData("Zending is gesorteerd", InTransit)]
    [InlineData("Het pakket ligt klaar bij het afhaalpunt", AvailableForPickup)]
    [InlineData("Retour afzender", ReturnToSender)]
    public void Where_no_table_knows_the_code_the_words_decide_and_the_scan_says_so(string words, V1.TrackingStatus expected)
    {
        var meaning = Vocabulary.Of("somebody").MeaningOf("?", "", words);

        Assert.Equal(expected, meaning.Status);
        Assert.True(meaning.Inferred);
    }
}
